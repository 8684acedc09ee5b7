"""Logged models, the registry and its aliases, on top of the runs."""

from collections.abc import Mapping
from pathlib import Path

import mlflow
import yaml
from mlflow.entities import LoggedModel, LoggedModelOutput
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from pipelines.errors import RequestError, ThinfileError, nearest
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.run_store import ALREADY_EXISTS, DOES_NOT_EXIST, RunStore, filter_of, is_initialised
from pipelines.model_store.tags import CHAMPION, MODEL_HASH, STUDY, TRIAL
from pipelines.storage.workspace import Workspace


def existing_store(workspace: Workspace, model: str) -> "ModelStore":
    """Return the store of a workspace that has one; reading models does not create a database.

    Raises:
        RequestError: nothing was ever logged in this workspace.
    """
    if not is_initialised(workspace):
        raise RequestError(
            f"model '{model}' has no versions, no champion and no challenger; register one with `thinfile tune` "
            f"(nothing is logged in workspace '{workspace.root}')"
        )
    return ModelStore(workspace)


class ModelStore(RunStore):
    """Runs and registered models of one workspace."""

    def register(
        self, name: str, *, experiment: str, run_id: str, model_folder: Path, tags: Mapping[str, str]
    ) -> RegisteredModel:
        """Log a saved model and register it as a new version.

        A study's trial has one version: called again, also after a crash, this completes or returns it.
        """
        registered = self.find_version(name, {STUDY: tags[STUDY], TRIAL: tags[TRIAL]})
        if registered is not None:
            return registered
        logged = self._log_model(experiment, run_id, model_folder, tags)
        self._ensure_registered(name)
        created = self.client.create_model_version(
            name, f"models:/{logged.model_id}", run_id, tags=dict(tags), model_id=logged.model_id
        )
        return self._first_of(name, tags, int(created.version))

    def _first_of(self, name: str, tags: Mapping[str, str], created: int) -> RegisteredModel:
        """Return the first version of a study and trial; one that another worker made meanwhile replaces ours."""
        first = self.find_version(name, {STUDY: tags[STUDY], TRIAL: tags[TRIAL]})
        if first is None or first.version == created:
            return self.version(name, created)
        self.client.delete_model_version(name, str(created))
        return first

    def _log_model(self, experiment: str, run_id: str, folder: Path, tags: Mapping[str, str]) -> LoggedModel:
        same_trial = filter_of({STUDY: tags[STUDY], TRIAL: tags[TRIAL]})
        models = list(self.client.search_logged_models([experiment], filter_string=same_trial, max_results=1))
        keys = {key: tags[key] for key in (STUDY, TRIAL, MODEL_HASH)}
        logged = models[0] if models else self.client.create_logged_model(experiment, "model", run_id, tags=keys)
        _write_ids(folder, logged.model_id, run_id)
        self.client.log_model_artifacts(logged.model_id, str(folder))
        self.client.finalize_logged_model(logged.model_id, "READY")
        outputs = self.client.get_run(run_id).outputs
        if logged.model_id not in {output.model_id for output in (outputs.model_outputs if outputs else [])}:
            self.client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        return logged

    def _ensure_registered(self, name: str) -> None:
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

    def model_tags(self, name: str) -> dict[str, str]:
        """Return the tags of a registered model, none when the model does not exist."""
        try:
            return dict(self.client.get_registered_model(name).tags)
        except MlflowException as error:
            if error.error_code != DOES_NOT_EXIST:
                raise
            return {}

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

    def alias(self, name: str, alias: str) -> int | None:
        """Return the number of the version with an alias, in one query."""
        version = self.client.get_registered_model(name).aliases.get(alias)
        return None if version is None else int(version)

    def set_alias(self, model: RegisteredModel, alias: str) -> None:
        """Move an alias to a version."""
        self.client.set_registered_model_alias(model.name, alias, str(model.version))

    def tag(self, model: RegisteredModel, tags: Mapping[str, str]) -> None:
        """Set tags of a version."""
        for key, value in tags.items():
            self.client.set_model_version_tag(model.name, str(model.version), key, value)

    def require_champion(self, name: str) -> RegisteredModel:
        """Return the champion. Raises RequestError without one."""
        champion = self.aliased(name, CHAMPION)
        if champion is None:
            names = {model.name for model in self.client.search_registered_models()}
            hint = nearest(name, names) if name not in names else "run `thinfile promote` first"
            raise RequestError(f"model '{name}' has no champion; {hint}")
        return champion

    def description(self, name: str) -> str:
        """Return the description of a registered model, as people wrote it in MLflow."""
        return str(self.client.get_registered_model(name).description or "")

    def attach(self, model: RegisteredModel, folder: Path) -> None:
        """Add the files of a folder to a registered model's artifacts."""
        if model.model_id is None:
            raise RequestError(
                f"{model.name} version {model.version} is not a logged model of MLflow 3, so files cannot be attached "
                "to it; log and register it again with mlflow>=3"
            )
        self.client.log_model_artifacts(model.model_id, str(folder))

    def download(self, model: RegisteredModel) -> Path:
        """Return a local folder that holds the model."""
        try:
            return Path(mlflow.artifacts.download_artifacts(model.source, tracking_uri=self.url))
        except (MlflowException, OSError) as error:
            raise ThinfileError(
                f"the files of {model.name} version {model.version} cannot be read ({error}); restore {model.source}"
            ) from error


def _write_ids(folder: Path, model_id: str, run_id: str) -> None:
    # `Model.load` reads a path as a URI, and decodes what looks encoded in it.
    description = Model.from_dict(yaml.safe_load((folder / "MLmodel").read_text()))
    description.model_id, description.run_id = model_id, run_id
    description.save(folder / "MLmodel")
