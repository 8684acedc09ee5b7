"""The constraints of a study: what the models of a trial must meet to be registered.

Each is kept with a trial as the share of its limit that it is exceeded by, so that Optuna's sampler can add them up.
"""

from collections.abc import Sequence
from functools import partial

from experiments.experiment.experiment import Experiment
from experiments.experiment.settings import ConstraintSettings
from experiments.search.trial_result import (
    CALIBRATION,
    COST,
    WRONG_WAY,
    Constraint,
    ObjectiveValue,
    TrialResult,
)
from pipelines.errors import ConfigurationError

EXAMPLES = {"cost": "5", "calibration": "0.02"}

NOTES = {"cost": COST, "calibration": CALIBRATION, "monotone": WRONG_WAY}
"""What each constraint bounds: a note of a trial."""


def check_constraints(settings: ConstraintSettings) -> None:
    """Check the settings before any data are read.

    Raises:
        ConfigurationError: a limit that is not above 0.
    """
    for name, limit in limits_of(settings).items():
        if not limit > 0:
            raise ConfigurationError(
                f"constraints.{name} is {limit:g}; use a number above 0, for example constraints.{name}="
                f"{EXAMPLES[name]}, or null for no limit"
            )


def check_directions_declared(experiment: Experiment) -> None:
    """Check that there are directions to keep to.

    Raises:
        ConfigurationError: constraints.monotone without a declared direction.
    """
    if experiment.settings.constraints.monotone and not experiment.development.directions:
        raise ConfigurationError(
            "constraints.monotone is true and no feature has a declared direction; set data.directions, for example "
            "'data.directions={income: safer}', or constraints.monotone=false"
        )


def constraints_of(settings: ConstraintSettings) -> dict[str, Constraint]:
    """Return the constraints of a study by name."""
    constraints: dict[str, Constraint] = {
        name: partial(_excess, NOTES[name], limit) for name, limit in limits_of(settings).items()
    }
    return constraints | ({"monotone": _wrong_way} if settings.monotone else {})


def limits_of(settings: ConstraintSettings) -> dict[str, float]:
    """Return the limits that are set, by the name of the constraint."""
    limits = {"cost": settings.cost, "calibration": settings.calibration}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _excess(note: str, limit: float, answer: ObjectiveValue, _: Sequence[TrialResult]) -> float:
    """Return by which share of a limit a note is above it."""
    return float(answer.notes[note]) / limit - 1


def _wrong_way(answer: ObjectiveValue, _: Sequence[TrialResult]) -> float:
    return float(answer.notes[WRONG_WAY])


def feasible(trials: Sequence[TrialResult]) -> list[TrialResult]:
    """Return the trials that meet every constraint."""
    return [trial for trial in trials if not trial.breach]
