"""Logged models, the registry and its aliases, on top of the runs."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from mlflow.entities import LoggedModel, LoggedModelOutput, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS
from mlflow.utils.uri import is_local_uri

from pipelines.errors import RequestError, ThinfileError
from pipelines.model_store.addresses import is_server, shown_uri
from pipelines.model_store.description import with_lines
from pipelines.model_store.files import list_hashes, model_hash
from pipelines.model_store.global_uri import global_tracking_uri
from pipelines.model_store.model_ids import write_ids
from pipelines.model_store.parameters import accepted_parameters
from pipelines.model_store.promotions import require_known_numbers
from pipelines.model_store.readiness import is_initialised
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.run_store import ALREADY_EXISTS, DOES_NOT_EXIST, PERMISSION_DENIED, RunStore, filter_of
from pipelines.model_store.tags import (
    BESIDE,
    CANDIDATE,
    EVIDENCE_RUN,
    KIND,
    LOCKS,
    MODEL_HASH,
    OF_MODEL,
    OF_VERSION,
    PARAMETERS,
    STUDY,
    TRIAL,
)
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.workspace import Workspace

NOT_IN_A_LOGGED_NAME = r"[/:.%\"']"
"""Characters that MLflow refuses in the name of a logged model."""


def existing_store(workspace: Workspace, model: str) -> "ModelStore":
    """Return the store of a workspace that has one; reading models does not create a database.

    Raises:
        RequestError: nothing was ever logged in this workspace.
        RegistryLost: the ledger of the model knows versions that MLflow never had.
    """
    require_known_numbers(workspace, model)
    if not is_initialised(workspace):
        raise RequestError(
            f"model '{model}' has no versions, no champion and no challenger; register one with `thinfile tune` "
            f"(nothing is logged in workspace '{workspace.root}')"
        )
    return ModelStore(workspace)


class ModelStore(RunStore):
    """Runs and registered models of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._model_locations: dict[str, str] = {}

    def register(
        self,
        name: str,
        *,
        experiment: str,
        run_id: str,
        model_folder: Path,
        tags: Mapping[str, str],
        beside: Path | None = None,
    ) -> RegisteredModel:
        """Log a saved model and register it as a new version, with the hash of all its files as a tag.

        The files of the folder `beside` are kept apart from the model (see `attach`). A study's trial has one version:
        called again, also after a crash, this completes or returns it.
        """
        registered = self.find_version(name, _identifying(tags))
        if registered is not None:
            return registered
        require_known_numbers(self.workspace, name)
        logged, digest = self._log_model(name, experiment, run_id, model_folder, tags)
        if beside is not None:
            self.client.log_artifacts(run_id, str(beside), _beside(logged.model_id))
        self.ensure_registered(name)
        source, own = f"models:/{logged.model_id}", dict(tags) | {MODEL_HASH: digest}
        with global_tracking_uri(self.url):
            created = self.client.create_model_version(name, source, run_id, tags=own, model_id=logged.model_id)
        first = self._first_of(name, tags, int(created.version))
        # MLflow's pages of logged models read it; a server writes it itself.
        of_versions = json.dumps([{"name": name, "version": first.version}])
        self.client.set_logged_model_tags(logged.model_id, {MLFLOW_MODEL_VERSIONS: of_versions})
        return first

    def _first_of(self, name: str, tags: Mapping[str, str], created: int) -> RegisteredModel:
        """Return the first version of a study and trial; one that another worker made meanwhile replaces ours."""
        first = self.find_version(name, _identifying(tags))
        if first is None or first.version == created:
            return self.version(name, created)
        self.client.delete_model_version(name, str(created))
        return first

    def _create_logged_model(self, name: str, experiment: str, run_id: str, tags: Mapping[str, str]) -> LoggedModel:
        return self.client.create_logged_model(
            experiment,
            logged_name(name),
            run_id,
            tags=_identifying(tags),
            params=accepted_parameters(json.loads(tags.get(PARAMETERS, "{}"))),
            model_type=tags.get(CANDIDATE),
        )

    def _log_model(
        self, name: str, experiment: str, run_id: str, folder: Path, tags: Mapping[str, str]
    ) -> tuple[LoggedModel, str]:
        """Log a saved model and return it with the hash of the files as they were logged."""
        keys = _identifying(tags)
        models = list(self.client.search_logged_models([experiment], filter_string=filter_of(keys), max_results=1))
        logged = models[0] if models else self._create_logged_model(name, experiment, run_id, tags)
        write_ids(folder, logged, run_id)
        list_hashes(folder)
        digest = model_hash(folder)
        self.client.log_model_artifacts(logged.model_id, str(folder))
        self.client.set_logged_model_tags(logged.model_id, {MODEL_HASH: digest})
        self.client.finalize_logged_model(logged.model_id, "READY")
        outputs = self.client.get_run(run_id).outputs
        if logged.model_id not in {output.model_id for output in (outputs.model_outputs if outputs else [])}:
            self.client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        return logged, digest

    def ensure_registered(self, name: str) -> None:
        """Create a registered model, unless it exists."""
        try:
            self.client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != ALREADY_EXISTS:
                raise

    def versions(self, name: str) -> list[RegisteredModel]:
        """Return the versions of a model, oldest first; none when the model does not exist."""
        versions = self._all_versions(name)
        if not versions:
            return []
        aliases: dict[int, list[str]] = {}
        for alias, version in self.client.get_registered_model(name).aliases.items():
            aliases.setdefault(int(version), []).append(alias)
        registered = [RegisteredModel.of(version, aliases.get(int(version.version), [])) for version in versions]
        return sorted(registered, key=lambda model: model.version)

    def _all_versions(self, name: str) -> list[ModelVersion]:
        quote = '"' if "'" in name else "'"
        of_model = f"name = {quote}{name}{quote}"
        page = self.client.search_model_versions(of_model)
        versions = list(page)
        while page.token:
            page = self.client.search_model_versions(of_model, page_token=page.token)
            versions += page
        return versions

    def standing(self, name: str) -> tuple[dict[str, int], dict[str, str]]:
        """Return the version of each alias and the tags of a registered model, in one query; none without the model."""
        try:
            model = self.client.get_registered_model(name)
        except MlflowException as error:
            if error.error_code != DOES_NOT_EXIST:
                raise
            return {}, {}
        return {alias: int(version) for alias, version in model.aliases.items()}, dict(model.tags)

    def find_version(self, name: str, tags: Mapping[str, str]) -> RegisteredModel | None:
        """Return the version that has all these tags, None without one."""
        return next((model for model in self.versions(name) if tags.items() <= model.tags.items()), None)

    def version(self, name: str, number: int) -> RegisteredModel:
        """Return one version. Raises RequestError when it does not exist."""
        versions = self.versions(name)
        for model in versions:
            if model.version == number:
                return model
        numbers = ", ".join(str(model.version) for model in versions) or "none"
        raise RequestError(f"no version {number} of model '{name}' (known: {numbers}); `thinfile compare` lists them")

    def aliased(self, name: str, alias: str) -> RegisteredModel | None:
        """Return the version with an alias, None without one."""
        return next((model for model in self.versions(name) if alias in model.aliases), None)

    def set_alias(self, model: RegisteredModel, alias: str) -> None:
        """Move an alias to a version."""
        self.client.set_registered_model_alias(model.name, alias, str(model.version))

    def tag(self, model: RegisteredModel, tags: Mapping[str, str]) -> None:
        """Set tags of a version."""
        for key, value in tags.items():
            self.client.set_model_version_tag(model.name, str(model.version), key, value)

    def describe(self, model: RegisteredModel, lines: Mapping[str, str]) -> None:
        """Write lines by title into the description of a version; the words of people stay (see `with_lines`).

        A user who may only read leaves it as it is.
        """
        number = str(model.version)
        present = str(self.client.get_model_version(model.name, number).description or "")
        described = with_lines(present, lines)
        if described == present:
            return
        try:
            self.client.update_model_version(model.name, number, description=described)
        except MlflowException as error:
            if error.error_code != PERMISSION_DENIED:
                raise

    def page_of(self, model: RegisteredModel, name: str) -> str | None:
        """Return the address of an attached file on MLflow's pages, from any of these; None without a run."""
        run = self.run_of(model)
        if run is None:
            return None
        where = f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
        return f"{where}/artifacts/{_place(model)}/{name}"

    def shown_place(self, model: RegisteredModel, name: str) -> str | None:
        """Return where people open an attached file: its path, or its address at the server or store that has it.

        None where there is no such file.
        """
        location, path = self._attachments(model), f"{_place(model)}/{name}"
        if location is None or path not in self.copies.names(location, path.rpartition("/")[0]):
            return None
        if is_local_uri(location):
            return str(self.copies.file(location, path))
        return f"{shown_uri(self.url)}/{self.page_of(model, name)}" if is_server(self.url) else f"{location}/{path}"

    def description(self, name: str) -> str:
        """Return the description of a registered model, as people wrote it in MLflow."""
        return str(self.client.get_registered_model(name).description or "")

    def attach(self, model: RegisteredModel, folder: Path) -> None:
        """Add the files of a folder to those of a version: among the artifacts of its run, apart from the model's own.

        A version without a run has one of its own for them.
        """
        run = self.run_of(model) or self._own_run(model)
        self.client.log_artifacts(run.info.run_id, str(folder), _place(model))
        if run.data.tags.get(KIND) == EVIDENCE_RUN and run.info.status != "FINISHED":
            self.close_run(run.info.run_id)  # a killed process left it running

    def attached(self, model: RegisteredModel, name: str) -> Path | None:
        """Return a local copy of a file that is attached to a version, None where there is none."""
        location, path = self._attachments(model), f"{_place(model)}/{name}"
        if location is None or path not in self.copies.names(location, path.rpartition("/")[0]):
            return None
        return self.copies.file(location, path)

    def attached_names(self, model: RegisteredModel) -> list[str]:
        """Return the names of the files that are attached to a version."""
        location, place = self._attachments(model), _place(model)
        paths = [] if location is None else sorted(self.copies.names(location, place, within=True))
        return [path.removeprefix(f"{place}/") for path in paths]

    def _attachments(self, model: RegisteredModel) -> str | None:
        """Return where the files of the run are that has the attached ones, None without a run."""
        if model.run_id is not None and (location := self._artifact_location(model.run_id)) is not None:
            return location
        run = self.run_of(model)
        return None if run is None else str(run.info.artifact_uri)

    def run_of(self, model: RegisteredModel) -> Run | None:
        """Return the run with the files that are attached to a version, None where it has none."""
        if model.run_id is not None:
            try:
                return self.client.get_run(model.run_id)
            except MlflowException as error:
                if error.error_code != DOES_NOT_EXIST:
                    raise
        experiment = self.client.get_experiment_by_name(model.name)
        return None if experiment is None else self.find_run(experiment.experiment_id, _own_run_tags(model))

    def _own_run(self, model: RegisteredModel) -> Run:
        """Create the run of a version that has none."""
        experiment, title = self.experiment(model.name), f"{model.name} version {model.version}"
        run_id = self.open_run(experiment, title, _own_run_tags(model))
        self.close_run(run_id)
        return self.client.get_run(run_id)

    def download(self, model: RegisteredModel) -> Path:
        """Return a local folder that holds the model."""
        try:
            return self.copies.folder(self._location(model))
        except (MlflowException, OSError) as error:
            raise ThinfileError(
                f"the files of {model.name} version {model.version} cannot be read ({error}); restore {model.source}"
            ) from error

    def _location(self, model: RegisteredModel) -> str:
        """Return where the files of a version are."""
        if model.model_id is not None:
            if model.model_id not in self._model_locations:
                found = self.client.get_logged_model(model.model_id)
                self._model_locations[model.model_id] = str(found.artifact_location)
            return self._model_locations[model.model_id]
        return str(self.client.get_model_version_download_uri(model.name, str(model.version)))


def logged_name(name: str) -> str:
    """Return the name of the logged models of a registered one.

    >>> logged_name("credit.score-2")
    'credit_score-2'
    """
    return re.sub(NOT_IN_A_LOGGED_NAME, "_", name)


def _identifying(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of which there is one version."""
    return {key: tags[key] for key in (STUDY, TRIAL, LOCKS) if key in tags}


def _own_run_tags(model: RegisteredModel) -> dict[str, str]:
    return {KIND: EVIDENCE_RUN, OF_MODEL: model.name, OF_VERSION: str(model.version)}


def place_of(name: str, version: int, model_id: str | None) -> str:
    """Return the folder of the files that are attached to a version, among the artifacts of its run."""
    return _beside(model_id or f"v-{fingerprint_record([name, version])[:32]}")


def _place(model: RegisteredModel) -> str:
    return place_of(model.name, model.version, model.model_id)


def _beside(identity: str) -> str:
    """Return the folder of a version's attached files among the artifacts of its run."""
    return f"{BESIDE}/{identity}"
