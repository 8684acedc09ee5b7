"""The studies of a model, found by name, with what Optuna and MLflow keep of each."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from experiments.compare.study_rows import requested_trials, study_rows
from experiments.search.stored_studies import StoredTrial, StudyName, stored_trials, study_names
from experiments.search.study_database import existing_studies
from experiments.search.study_summaries import summaries
from pipelines.errors import RequestError, listed
from pipelines.model_store.addresses import experiment_name
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import FINAL, KIND, STUDY, STUDY_RUN
from pipelines.storage.worker_locks import WorkerLocks

MOST_NAMED = 8
"""So many studies are named where none or several match."""


@dataclass(frozen=True)
class StudyRecord:
    """One study: its trials, its run in MLflow, what it registered (`final.json`) and the versions made from it."""

    name: StudyName
    trials: Sequence[StoredTrial]
    run_id: str | None
    final: Mapping[str, Any] | None
    versions: Sequence[RegisteredModel]


def study_record(store: ModelStore, model: str, text: str) -> StudyRecord:
    """Return the record of the study of a model that a text names.

    Raises:
        RequestError: no study of the model has that name, or several do.
    """
    versions = store.versions(model)
    with reading(store) as connection:
        name = find_study(studies_of(study_names(connection), model, versions), text, model)
        trials = stored_trials(connection, name)
    run_id = _run(store, model, name)
    own = [version for version in versions if version.tags.get(STUDY) == name.identity]
    return StudyRecord(name, trials, run_id, store.read_record(run_id, FINAL), own)


def all_studies(store: ModelStore, model: str, versions: Sequence[RegisteredModel]) -> list[dict[str, Any]]:
    """Return the studies of a model as rows (see `study_rows`); none where the workspace has no studies."""
    engine = existing_studies(store.workspace)
    if engine is None:
        return []
    with engine.connect() as connection:
        names = studies_of(study_names(connection), model, versions)
        found = summaries(connection, names, requested_trials(versions))
    return study_rows(found, versions, WorkerLocks(engine).studies_with_workers())


@contextmanager
def reading(store: ModelStore) -> Iterator[Connection]:
    """Yield a connection to the studies of a store's workspace.

    Raises:
        RequestError: the workspace has no studies.
    """
    engine = existing_studies(store.workspace)
    if engine is None:
        raise RequestError(f"workspace '{store.workspace.root}' has no studies; start one with `thinfile tune`")
    with engine.connect() as connection:
        yield connection


def studies_of(names: Sequence[StudyName], model: str, versions: Sequence[RegisteredModel]) -> list[StudyName]:
    """Return the studies of a model: those that are named for it, and old ones that its versions were made by."""
    sources = {version.tags.get(STUDY) for version in versions}
    return [name for name in names if name.model == model or (not name.model and name.identity in sources)]


def find_study(names: Sequence[StudyName], text: str, model: str) -> StudyName:
    """Return the one study that a text names: its title, or its identity or the beginning of that.

    Raises:
        RequestError: none has that name, or several do.
    """
    matching = [name for name in names if name.title == text or (text and name.identity.startswith(text))]
    if len(matching) == 1:
        return matching[0]
    problem = f"matches {len(matching)} studies" if matching else "is not a study"
    some = listed([name.identity if matching else name.short for name in matching or names], MOST_NAMED) or "none"
    raise RequestError(
        f"study '{text}' {problem} of model '{model}'; give one of: {some} (`thinfile compare` lists them)"
    )


def _run(store: ModelStore, model: str, name: StudyName) -> str | None:
    experiment = store.client.get_experiment_by_name(experiment_name(model))
    if experiment is None:
        return None
    run = store.find_run(experiment.experiment_id, {STUDY: name.identity, KIND: STUDY_RUN})
    return None if run is None else str(run.info.run_id)
