"""The record of a study's run: the experiment it answered, what with, and every trial."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from experiments.experiment.differences import NOTHING, Comparison, compare_records
from experiments.experiment.experiment import Experiment
from experiments.search.trial_result import TrialResult
from pipelines.applications.sources import shown_source
from pipelines.applications.ttd_population import ttd_path
from pipelines.errors import RequestError
from pipelines.model_store.tags import CONFIG, DATA_RECORD, PROVENANCE, TRIALS
from pipelines.secrets.environment_text import to_record

if TYPE_CHECKING:
    from pipelines.model_store.store import ModelStore

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
    def read(cls, store: "ModelStore", run_id: str) -> "RunRecord":
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
        trials = [_trial_of(trial) for trial in parts[TRIALS]]
        return cls(parts[CONFIG], parts[PROVENANCE], parts[DATA_RECORD], trials)


def _trial_of(record: dict[str, Any]) -> TrialResult:
    """Return a recorded trial; the second objective once had the name of the only one there was."""
    return TrialResult(**{"second" if name == "unfairness" else name: value for name, value in record.items()})


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
        "files": dict(applications.files),
        "asked_files": {} if experiment.applicants is None else dict(experiment.applicants.files),
    }


NOT_RECORDED = ("label", "split_advice")
"""What runs of earlier versions did not record of their data."""


FILES = {"files": "fingerprint", "asked_files": "asked"}
"""The files of a table by the fingerprint of its rows; a file that was written again with the same rows is the same."""


def compare_data(recorded: Mapping[str, Any], experiment: Experiment) -> Comparison:
    """Return what differs between the recorded data of a study and those of an experiment, changed sources first."""
    present = data_record(experiment)
    before = {name: present[name] for name in NOT_RECORDED} | dict(recorded)
    rows, rows_now = ({name: one for name, one in record.items() if name not in FILES} for record in (before, present))
    return _compare_sources(before, present, experiment) + compare_records("data", rows, rows_now)


def _compare_sources(before: Mapping[str, Any], now: Mapping[str, Any], experiment: Experiment) -> Comparison:
    """Return the files that differ of each table whose rows do, and where they are."""
    data, comparison = experiment.settings.data, Comparison(0, [])
    locations = {"files": shown_source(data), "asked_files": to_record(ttd_path(data))}
    for files, rows in FILES.items():
        if before.get(rows) == now[rows] or not before.get(files):
            continue
        source = f"source {locations[files]}"
        if len(before[files]) == len(now[files]) == 1:  # its name changes where it was moved, or with its version
            earlier, later = (f"{name} {digest}" for one in (before[files], now[files]) for name, digest in one.items())
            comparison += compare_records(source, earlier, later)
            continue
        for name in sorted({*before[files], *now[files]}):
            pair = (before[files].get(name, NOTHING), now[files].get(name, NOTHING))
            comparison += compare_records(f"{source}, file {name}", *pair)
    return comparison


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
