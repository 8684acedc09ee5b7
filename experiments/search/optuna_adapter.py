"""What Thinfile uses of Optuna that Optuna does not document, and where and how its studies are kept.

Written for Optuna 5.0.0 (`WRITTEN_FOR`): trials are written through the storage, as `Trial` and `tell` do, and by ids
that Optuna reserves for itself; intermediate values are written into their table; the worker locks share the engine of
the storage; Alembic's table of versions is written last. `stored_studies` reads the tables.
"""

import warnings
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.storages._rdb.models import TrialIntermediateValueModel
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial
from sqlalchemy import event, insert, inspect
from sqlalchemy.exc import IntegrityError

from experiments.search.space import Space
from experiments.search.study_database import SCHEMA
from experiments.search.trial_result import NOTES, Parameters, TrialResult, without_family
from pipelines.storage.postgresql import advisory_lock, in_schema, make_schema, open_engine
from pipelines.storage.worker_locks import WorkerLocks
from pipelines.storage.workspace import Workspace, new_sqlite, sqlite_url

Direction = Literal["maximize", "minimize"]

WRITTEN_FOR = "5.0.0"

LOCK_SECONDS = 60


def study_storage(workspace: Workspace) -> RDBStorage:
    """Return the storage of a workspace's studies with its tables, made once by the first of several workers."""
    return _postgresql(workspace.database) if workspace.database else _sqlite(workspace)


class StoredStudy:
    """A study in a storage, new or continued: its trials are started with their parameters, noted and ended.

    A trial that has ended stays as it is. Optuna's own `ask`, `suggest` and `tell` read a trial a dozen times and write
    each parameter in a transaction of its own.
    """

    def __init__(self, storage: RDBStorage, name: str, objectives: Mapping[str, Direction]) -> None:
        self._study = optuna.create_study(
            storage=storage, study_name=name, directions=list(objectives.values()), load_if_exists=True
        )
        if self._study.metric_names is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                self._study.set_metric_names(list(objectives))
        self._storage, self._engine = self._study._storage, storage.engine

    def trials(self) -> list[FrozenTrial]:
        """Return all trials; the index of each is its number."""
        return self._study.get_trials(deepcopy=False)

    def start(self, number: int, parameters: Parameters, space: Space) -> FrozenTrial:
        """Add the trial of the next number, RUNNING, together with its parameters."""
        distributions: dict[str, BaseDistribution] = {name: space[name] for name in parameters}
        trial = create_trial(state=TrialState.RUNNING, params=dict(parameters), distributions=distributions)
        trial._trial_id = self._storage.create_new_trial(self._study._study_id, trial)
        trial.number = number
        return trial

    def note_of_all(self, name: str, value: Any) -> None:
        """Keep a value under a name with the study, unless it has that already."""
        if name not in self._study.user_attrs:
            self._study.set_user_attr(name, value)

    def note(self, trial: FrozenTrial, name: str, value: Any) -> None:
        """Keep a value under a name with a running trial."""
        with suppress(UpdateFinishedTrialError):
            self._storage.set_trial_user_attr(trial._trial_id, name, value)

    def show_course(self, trial: FrozenTrial, values: Sequence[float]) -> None:
        """Keep the intermediate values of a trial, in one transaction, unless it has them already.

        Optuna has none in studies of two objectives.
        """
        if len(self._study.directions) > 1:
            return
        table = TrialIntermediateValueModel.__table__
        rows = [
            {
                "trial_id": trial._trial_id,
                "step": step,
                "intermediate_value": value,
                "intermediate_value_type": TrialIntermediateValueModel.TrialIntermediateValueType.FINITE,
            }
            for step, value in enumerate(values)
        ]
        with suppress(IntegrityError), self._engine.begin() as connection:
            connection.execute(insert(table), rows)

    def constrain(self, trial: FrozenTrial, name: str, value: float) -> None:
        """Keep by how much a running trial breaks a constraint, unless it has that already."""
        if name not in trial.constraints:
            with suppress(UpdateFinishedTrialError):
                Trial(self._study, trial._trial_id).set_constraint(name, value)

    def end(self, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None = None) -> None:
        """Mark a running trial as ended."""
        with suppress(UpdateFinishedTrialError):
            self._storage.set_trial_state_values(trial._trial_id, state, values)


def result_of(trial: FrozenTrial) -> TrialResult:
    """Return a finished trial as our own type."""
    assert trial.values is not None
    value, second = [*trial.values, None][:2]
    assert value is not None
    return TrialResult(
        value,
        second,
        trial.user_attrs.get(NOTES, {}),
        number=trial.number,
        parameters=without_family(trial.params),
        constraints=dict(sorted(trial.constraints.items())),
    )


def _sqlite(workspace: Workspace) -> RDBStorage:
    """Return the storage in the workspace's SQLite file, which is never there without its tables.

    A write reaches the operating system before it counts as done, and the disk a little later: it outlives the death of
    the process, and the loss of power costs the last trials but never the database.
    """
    path, arguments = workspace.studies, {"connect_args": {"timeout": LOCK_SECONDS}}
    if not path.exists():
        with new_sqlite(path) as unfinished:
            _close(RDBStorage(sqlite_url(unfinished), arguments))
    storage = RDBStorage(sqlite_url(path), arguments)
    event.listen(storage.engine, "connect", _without_waiting_for_the_disk)
    _close(storage)  # the connections that are opened from now on do not wait
    return storage


def _without_waiting_for_the_disk(connection: Any, _: object) -> None:
    connection.execute("pragma synchronous=normal")


def _postgresql(database: str) -> RDBStorage:
    engine = open_engine(database)
    address = in_schema(database, SCHEMA)
    if not inspect(engine).has_table("alembic_version", schema=SCHEMA):
        with advisory_lock(engine, SCHEMA):
            make_schema(engine, SCHEMA)
            WorkerLocks(open_engine(address))
            _close(RDBStorage(address))
    # One connection is kept open; more are opened while a lock is renewed.
    storage = RDBStorage(address, {"pool_size": 1, "pool_pre_ping": True}, skip_table_creation=True)
    weakref.finalize(storage, storage.engine.dispose)
    return storage


def _close(storage: RDBStorage) -> None:
    storage.remove_session()
    storage.engine.dispose()
