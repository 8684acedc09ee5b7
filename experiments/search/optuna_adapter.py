"""What Thinfile uses of Optuna that Optuna does not document, and how its trials are read.

Written for Optuna 5.0.0 (`WRITTEN_FOR`): a RUNNING trial of a dead worker is opened again through the constructor of
`Trial`, which Optuna reserves for itself, and the worker locks share the engine of the storage.
"""

from pathlib import Path

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from experiments.search.trial_result import TrialResult
from pipelines.storage.workspace import new_sqlite, sqlite_url

WRITTEN_FOR = "5.0.0"

NOTES = "notes"
"""Under this name a trial keeps its notes."""

LOCK_SECONDS = 60


def sqlite_storage(path: Path) -> RDBStorage:
    """Return the storage of studies in a SQLite file, with its tables; a file is never there without them."""
    if not path.exists():
        with new_sqlite(path) as unfinished:
            storage = _open(unfinished)
            storage.remove_session()
            storage.engine.dispose()
    return _open(path)


def reopened(study: optuna.Study, trial: FrozenTrial) -> Trial:
    """Return a RUNNING trial that a dead worker left, to be worked on."""
    return Trial(study, trial._trial_id)


def result_of(trial: FrozenTrial) -> TrialResult:
    """Return a finished trial as our own type."""
    assert trial.values is not None
    value, unfairness = [*trial.values, None][:2]
    assert value is not None
    notes = trial.user_attrs.get(NOTES, {})
    return TrialResult(value, unfairness, notes, number=trial.number, parameters=dict(trial.params))


def results_of(study: optuna.Study) -> list[TrialResult]:
    """Return the finished trials of a study by number."""
    return [result_of(trial) for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))]


def _open(path: Path) -> RDBStorage:
    return RDBStorage(sqlite_url(path), engine_kwargs={"connect_args": {"timeout": LOCK_SECONDS}})
