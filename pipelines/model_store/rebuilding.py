"""Registers versions again, under their numbers, when MLflow's database was lost and the files of the models were not.

MLflow chooses the ids of runs and logged models itself, so a version gets a new run with copies of the files of its
earlier one. Its model is registered where its files are: they keep every byte, and their hash.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import yaml
from mlflow.exceptions import MlflowException
from mlflow.utils.file_utils import local_file_uri_to_path

from pipelines.model_store.addresses import is_server
from pipelines.model_store.files import DESCRIPTION, deciding_hash, model_hash
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore, logged_name, place_of
from pipelines.model_store.tags import MODEL_HASH, POLICY, STAGE

OURS = "thinfile."
OF_DECISIONS = (MODEL_HASH, POLICY, STAGE)
"""Tags that the entries of a ledger decide."""

EARLIER_RUN = "thinfile.rebuilt_from"
"""Of a run: the one whose files it has."""

NO_VERSION = "thinfile.no_version"
"""Of a version that only takes a number whose model is not proven, until it is deleted."""


@dataclass(frozen=True)
class LostVersion:
    """A version as a ledger knows it: its number and hash, and the tags that it and its run had."""

    name: str
    number: int
    model_hash: str
    tags: Mapping[str, str] = field(default_factory=dict)
    run_name: str = ""
    run_tags: Mapping[str, str] = field(default_factory=dict)
    run_metrics: Mapping[str, float] = field(default_factory=dict)


def registered_record(store: ModelStore, model: RegisteredModel) -> dict[str, object]:
    """Return what a ledger keeps about a version and its run, so that the version can be registered again."""
    run = store.run_of(model)
    return {
        "tags": {key: value for key, value in model.tags.items() if key.startswith(OURS) and key not in OF_DECISIONS},
        "run_name": "" if run is None else run.info.run_name,
        "run_tags": {} if run is None else {key: tag for key, tag in run.data.tags.items() if key.startswith(OURS)},
        "run_metrics": {} if run is None else dict(run.data.metrics),
    }


def locations_by_hash(store: ModelStore) -> dict[str, str]:
    """Return where each model is among the artifacts by its hash, and by that of earlier versions."""
    locations: dict[str, str] = {}
    for location in _model_locations(store):
        folder = store.copies.folder(location)
        for hashed in (deciding_hash, model_hash):
            locations[hashed(folder)] = location
    return locations


def register_again(store: ModelStore, lost: LostVersion, location: str) -> None:
    """Register the model at a location as the next version, which must have the number of the lost one."""
    run = _run_again(store, lost, location)
    source, model_id = _source(store, lost, location, None if run is None else run.run_id)
    if run is not None and run.attached is not None:
        place = place_of(lost.name, lost.number, model_id)
        store.client.log_artifacts(run.run_id, str(run.attached), place)
    store.ensure_registered(lost.name)
    created = store.client.create_model_version(
        lost.name,
        source,
        None if run is None else run.run_id,
        tags=dict(lost.tags) | {MODEL_HASH: lost.model_hash},
        model_id=model_id,
    )
    assert int(created.version) == lost.number


def _source(store: ModelStore, lost: LostVersion, location: str, run_id: str | None) -> tuple[str, str | None]:
    """Return the source of a version: where its files are, or a copy at a server, which refuses all other places."""
    if not is_server(store.url):
        return location, None
    logged = store.client.create_logged_model(store.experiment_of(lost.name), logged_name(lost.name), run_id)
    store.client.log_model_artifacts(logged.model_id, str(store.copies.folder(location)))
    store.client.finalize_logged_model(logged.model_id, "READY")
    return f"models:/{logged.model_id}", str(logged.model_id)


def take_number(store: ModelStore, name: str, number: int) -> None:
    """Use up the number of a version that cannot be registered again, so that no other model gets it.

    The version is deleted when the registry follows the ledger: a server does not list the deleted ones.
    """
    store.ensure_registered(name)
    source, model_id = _root(store), None
    if is_server(store.url):
        model_id = str(store.client.create_logged_model(store.experiment_of(name), logged_name(name)).model_id)
        source = f"models:/{model_id}"
    tags = {NO_VERSION: str(number)}
    created = store.client.create_model_version(name, source, tags=tags, model_id=model_id)
    assert int(created.version) == number


def remove_taken(store: ModelStore, name: str) -> None:
    """Delete versions that only took a number."""
    for model in store.versions(name):
        if NO_VERSION in model.tags:
            store.client.delete_model_version(name, str(model.version))


@dataclass(frozen=True)
class _NewRun:
    run_id: str
    attached: Path | None
    """The files that were attached to the version."""


def _run_again(store: ModelStore, lost: LostVersion, location: str) -> _NewRun | None:
    """Return a run with the files of the lost one, None where the artifacts of the lost run are gone too."""
    description = yaml.safe_load((store.copies.folder(location) / DESCRIPTION).read_text())
    run_id, model_id = (str(description.get(key) or "") for key in ("run_id", "model_id"))
    of_experiment = location.rpartition("/models/")[0]
    artifacts = _folder(store, f"{of_experiment}/{run_id}/artifacts") if run_id and of_experiment else None
    if artifacts is None:
        return None
    name = None if is_server(store.url) else Path(local_file_uri_to_path(of_experiment)).name
    experiment = store.experiment_of(lost.name) if name is None else store.experiment(name)
    new_id = store.open_run(experiment, lost.run_name or run_id, {EARLIER_RUN: run_id})
    store.log(new_id, tags=lost.run_tags, metrics=lost.run_metrics)
    store.log_files(new_id, artifacts)
    store.close_run(new_id)
    attached = artifacts / place_of(lost.name, lost.number, model_id)
    return _NewRun(new_id, attached if attached.is_dir() else None)


def _root(store: ModelStore) -> str:
    """Return where the artifacts of all experiments are: those that a server keeps, or the workspace's."""
    return "mlflow-artifacts:/" if is_server(store.url) else store.workspace.artifacts.as_uri()


def _model_locations(store: ModelStore) -> Iterator[str]:
    """Yield where each logged model is, as MLflow places it: EXPERIMENT/models/ID/artifacts."""
    root, copies = _root(store), store.copies
    for experiment in copies.folders(root):
        for model in copies.folders(root, f"{experiment}/models"):
            if f"{model}/artifacts/{DESCRIPTION}" in copies.names(root, f"{model}/artifacts"):
                yield f"{root.rstrip('/')}/{quote(model)}/artifacts"


def _folder(store: ModelStore, location: str) -> Path | None:
    try:
        return store.copies.folder(location)
    except (OSError, MlflowException):
        return None
