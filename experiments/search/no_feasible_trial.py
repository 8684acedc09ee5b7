"""The outcome of a study in which no trial meets the constraints: nothing is registered, and the answer is no."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from experiments.experiment.experiment import Experiment
from experiments.experiment.settings import ConstraintSettings
from experiments.search.constraints import NOTES, limits_of
from experiments.search.trial_result import TrialResult, best_of
from pipelines.command.verb import ExitCode, Outcome


def nothing_registered(experiment: Experiment, run_id: str, trials: Sequence[TrialResult]) -> Outcome:
    """Return the outcome: the nearest trial, and limits that it meets."""
    result = {
        "study": experiment.study,
        "run_id": run_id,
        "candidate": experiment.family,
        "trials": len(trials),
        "model": experiment.settings.model,
        "version": None,
        "is_new": False,
        "nearest": asdict(best_of(trials)),
        "data_fingerprint": experiment.applications.fingerprint,
    }
    summary = without_feasible(trials, experiment.settings.constraints)
    return Outcome(result, summary=summary, exit_code=ExitCode.ANSWER_IS_NO)


def without_feasible(trials: Sequence[TrialResult], settings: ConstraintSettings) -> list[str]:
    """Return the summary of a study in which no trial meets the constraints: the nearest one, and what to relax."""
    one = best_of(trials)
    broken = {name: one.notes[NOTES[name]] for name, value in one.constraints.items() if value > 0}
    return [
        f"nothing is registered: none of {len(trials)} trials meets the constraints",
        f"  the nearest is trial {one.number}, cross-validated AUC {one.value:.4f}: {broken_in_words(one, settings)}",
        f"  set {' and '.join(_relaxed(name, value) for name, value in broken.items())}, or allow more trials",
    ]


def broken_in_words(trial: TrialResult, settings: ConstraintSettings) -> str:
    """Return which constraints a trial breaks, and by how much.

    >>> trial = TrialResult(0.8, notes={"cost": 7.25}, number=3, parameters={}, constraints={"cost": 0.45})
    >>> broken_in_words(trial, ConstraintSettings(cost=5))
    'cost 7.25 is above constraints.cost=5'
    """
    limits: Mapping[str, float] = limits_of(settings)
    words = {
        name: f"{name} {trial.notes[NOTES[name]]:.3g} is above constraints.{name}={limits[name]:g}"
        if name in limits
        else f"{trial.notes[NOTES[name]]:.1%} of rows move against a declared direction"
        for name, value in trial.constraints.items()
        if value > 0
    }
    return "; ".join(words.values())


def _relaxed(name: str, value: float) -> str:
    """Return the override that the value of a trial meets.

    >>> _relaxed("cost", 7.2513)
    'constraints.cost=7.26'
    """
    return "constraints.monotone=false" if name == "monotone" else f"constraints.{name}={_rounded_up(value)}"


def _rounded_up(value: float) -> str:
    """Return a number of three digits that is not below the value."""
    text = f"{value:.3g}"
    return text if float(text) >= value else f"{value + 10.0 ** (_magnitude(value) - 2) / 2:.3g}"


def _magnitude(value: float) -> int:
    """Return the power of ten of a number's first digit.

    >>> _magnitude(7.25), _magnitude(0.02)
    (0, -2)
    """
    return int(f"{value:e}".rpartition("e")[2])
