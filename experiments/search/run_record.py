"""The record of a study's run: the experiment it answered, what with, and every trial."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from experiments.experiment.differences import Comparison, compare_records
from experiments.experiment.experiment import Experiment
from experiments.search.trial_result import TrialResult
from pipelines.errors import RequestError
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CONFIG, DATA_RECORD, PROVENANCE, TRIALS

EARLIER = "earlier"
"""Under this name an environment lists those that worked on the same run before it."""

NO_ENVIRONMENT = ("command", EARLIER)
"""What is told of an environment and decides nothing."""


@dataclass(frozen=True)
class RunRecord:
    """What a run left: `config` as it was resolved, `environment`, `data`, and the finished `trials`."""

    config: dict[str, Any]
    environment: dict[str, Any]
    data: dict[str, Any]
    trials: list[TrialResult]

    @classmethod
    def read(cls, store: ModelStore, run_id: str) -> "RunRecord":
        """Return the record of a run.

        Raises:
            RequestError: a part of it was never logged: the search did not end, or the run is not a study's.
        """
        parts = {name: store.read_record(run_id, name) for name in (CONFIG, PROVENANCE, DATA_RECORD, TRIALS)}
        lacking = [name for name, content in parts.items() if content is None]
        if lacking:
            raise RequestError(
                f"a run is replayed from its record, run {run_id} has no {' and no '.join(lacking)}: its search has "
                "not ended, or an earlier version of Thinfile made it; run the same `thinfile tune` again to complete "
                "the record, or replay another run"
            )
        trials = [TrialResult(**trial) for trial in parts[TRIALS]]
        return cls(parts[CONFIG], parts[PROVENANCE], parts[DATA_RECORD], trials)


def data_record(experiment: Experiment) -> dict[str, Any]:
    """Return what an experiment's data is and how it was read, as JSON values."""
    applications = experiment.applications
    immature = {"immature": applications.immature} if applications.immature else {}
    return immature | {
        "fingerprint": applications.fingerprint,
        "rows": len(applications),
        "quarantined": applications.quarantined,
        "numeric": applications.roles.numeric,
        "categorical": applications.roles.categorical,
        "protected": applications.roles.protected,
        "inferred": applications.roles.inferred,
        "label": {"bad": applications.roles.bad, "good": applications.good},
        "reading": applications.roles.reading_record,
        "split": experiment.split.description,
        "split_advice": experiment.split.advice,
        "asked": None if experiment.applicants is None else experiment.applicants.fingerprint,
    }


def compare_environments(recorded: dict[str, Any], now: dict[str, Any]) -> Comparison:
    """Return what differs between two environments (see `provenance`); the command line is no part of them."""
    before, after = (
        {name: value for name, value in one.items() if name not in NO_ENVIRONMENT} for one in (recorded, now)
    )
    return compare_records("environment", before, after)


def joined_environments(recorded: dict[str, Any] | None, now: dict[str, Any]) -> dict[str, Any]:
    """Return the environment of a run that is worked on now: the last to work on it, and before it any other."""
    if recorded is None:
        return now
    if not compare_environments(recorded, now).differences:
        return recorded
    before = {name: value for name, value in recorded.items() if name != EARLIER}
    return now | {EARLIER: [*recorded.get(EARLIER, []), before]}


def trials_record(trials: Sequence[TrialResult]) -> list[dict[str, Any]]:
    """Return trials as JSON values; Python spells numbers so that they are read back bit for bit."""
    return [asdict(trial) for trial in trials]
