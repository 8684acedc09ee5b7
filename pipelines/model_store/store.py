"""Runs, logged models, the registry and its aliases."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, Metric, Param, Run, RunTag
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from sqlalchemy import inspect

from pipelines.errors import RequestError, ThinfileError, nearest
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import CHAMPION, CONFIG, KIND, MODEL_HASH, STUDY, STUDY_RUN, TRIAL
from pipelines.storage.postgresql import address, advisory_lock, open_engine, shown
from pipelines.storage.workspace import Workspace, new_sqlite, sqlite_url

MOST_RUNS = 50_000
RUNS_TOLD = 5

ALREADY_EXISTS = "RESOURCE_ALREADY_EXISTS"


def existing_store(workspace: Workspace, model: str) -> "ModelStore":
    """Return the store of a workspace that has one; a question about models does not make a database.

    Raises:
        RequestError: nothing was ever logged in this workspace.
    """
    if not _is_initialised(workspace):
        raise RequestError(
            f"model '{model}' has no versions, no champion and no challenger; register one with `thinfile tune` "
            f"(nothing is logged in workspace '{workspace.root}')"
        )
    return ModelStore(workspace)


class ModelStore:
    """Runs and registered models of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        _initialise_once(workspace)
        self.workspace = workspace
        self.url = address(workspace.database) if workspace.database else sqlite_url(workspace.mlflow)
        mlflow.set_tracking_uri(self.url)
        mlflow.set_registry_uri(self.url)
        self.client = MlflowClient(self.url, self.url)

    @property
    def shown_url(self) -> str:
        """The address as it may be told: without the password."""
        return shown(self.url) if self.workspace.database else self.url

    def experiment(self, name: str) -> str:
        """Return the id of an experiment, created when it is new."""
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        place = (self.workspace.artifacts / name).as_uri()
        try:
            return str(self.client.create_experiment(name, artifact_location=place))
        except MlflowException as error:
            if error.error_code != ALREADY_EXISTS:
                raise
            return self.experiment(name)  # another worker was first

    def find_run(self, experiment: str, tags: Mapping[str, str]) -> Run | None:
        """Return the run that carries all these tags."""
        wanted = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
        found = self.client.search_runs([experiment], wanted, max_results=1)
        return found[0] if found else None

    def is_finished(self, experiment: str, tags: Mapping[str, str]) -> bool:
        """Return whether the run with these tags is there and has ended well."""
        found = self.find_run(experiment, tags)
        return found is not None and found.info.status == "FINISHED"

    def running(self, experiment: str) -> list[Run]:
        """Return the runs that say they are running."""
        return list(self.client.search_runs([experiment], "attributes.status = 'RUNNING'"))

    def open_run(self, experiment: str, name: str, tags: Mapping[str, str], parent: str | None = None) -> str:
        """Return the id of the run with these tags, created or reopened: one run however often it is asked for."""
        found = self.find_run(experiment, tags)
        if found is not None:
            self.client.update_run(found.info.run_id, status="RUNNING")
            return str(found.info.run_id)
        nested = {"mlflow.parentRunId": parent} if parent else {}
        return str(self.client.create_run(experiment, tags={**tags, **nested}, run_name=name).info.run_id)

    def log(
        self,
        run_id: str,
        *,
        metrics: Mapping[str, float] | None = None,
        parameters: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Log to a run in one call; a parameter that is there already keeps its value."""
        now = int(time.time() * 1000)
        self.client.log_batch(
            run_id,
            metrics=[Metric(name, value, now, 0) for name, value in (metrics or {}).items()],
            params=[Param(name, str(value)) for name, value in (parameters or {}).items()],
            tags=[RunTag(name, value) for name, value in (tags or {}).items()],
        )

    def log_trace(self, run_id: str, metric: str, values: Sequence[float]) -> None:
        """Log a metric by step, from the first step that is not there yet."""
        logged = {point.step for point in self.client.get_metric_history(run_id, metric)}
        now = int(time.time() * 1000)
        steps = [Metric(metric, value, now, step) for step, value in enumerate(values) if step not in logged]
        for start in range(0, len(steps), 1000):
            self.client.log_batch(run_id, metrics=steps[start : start + 1000])

    def log_files(self, run_id: str, folder: Path) -> None:
        """Log the files of a folder to a run."""
        self.client.log_artifacts(run_id, str(folder))

    def close_run(self, run_id: str, status: str = "FINISHED") -> None:
        """Say that a run has ended."""
        self.client.set_terminated(run_id, status)

    def register(
        self, name: str, *, experiment: str, run_id: str, model_folder: Path, tags: Mapping[str, str]
    ) -> RegisteredModel:
        """Log a saved model and register it as a new version.

        Asked again for the same study and trial, also after a crash in between, it completes or returns the version
        that is there: never two.
        """
        found = self.find_version(name, {STUDY: tags[STUDY], TRIAL: tags[TRIAL]})
        if found is not None:
            return found
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
        wanted = f"tags.`{STUDY}` = '{tags[STUDY]}' and tags.`{TRIAL}` = '{tags[TRIAL]}'"
        found = list(self.client.search_logged_models([experiment], filter_string=wanted, max_results=1))
        keys = {key: tags[key] for key in (STUDY, TRIAL, MODEL_HASH)}
        logged = found[0] if found else self.client.create_logged_model(experiment, "model", run_id, tags=keys)
        _name_itself(folder, logged.model_id, run_id)
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
        found = self._all_versions(name)
        if not found:
            return []
        aliases: dict[int, list[str]] = {}
        for alias, version in self.client.get_registered_model(name).aliases.items():
            aliases.setdefault(int(version), []).append(alias)
        ours = [RegisteredModel.of(version, aliases.get(int(version.version), [])) for version in found]
        return sorted(ours, key=lambda model: model.version)

    def _all_versions(self, name: str) -> list[ModelVersion]:
        quote = '"' if "'" in name else "'"
        wanted = f"name = {quote}{name}{quote}"
        page = self.client.search_model_versions(wanted)
        found = list(page)
        while page.token:
            page = self.client.search_model_versions(wanted, page_token=page.token)
            found += page
        return found

    def model_tags(self, name: str) -> dict[str, str]:
        """Return the tags of a registered model, none when there is no such model."""
        try:
            return dict(self.client.get_registered_model(name).tags)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return {}

    def find_version(self, name: str, tags: Mapping[str, str]) -> RegisteredModel | None:
        """Return the version that carries all these tags."""
        matching = (one for one in self.versions(name) if tags.items() <= one.tags.items())
        return next(matching, None)

    def version(self, name: str, number: int) -> RegisteredModel:
        """Return one version. Raises RequestError when there is none of that number."""
        versions = self.versions(name)
        for model in versions:
            if model.version == number:
                return model
        known = ", ".join(str(model.version) for model in versions) or "none"
        raise RequestError(f"no version {number} of model '{name}' (known: {known}); `thinfile compare` lists them")

    def aliased(self, name: str, alias: str) -> RegisteredModel | None:
        """Return the version that an alias names."""
        return next((model for model in self.versions(name) if alias in model.aliases), None)

    def alias(self, name: str, alias: str) -> int | None:
        """Return the number of the version that an alias names, in one question."""
        found = self.client.get_registered_model(name).aliases.get(alias)
        return None if found is None else int(found)

    def set_alias(self, model: RegisteredModel, alias: str) -> None:
        """Let an alias name a version."""
        self.client.set_registered_model_alias(model.name, alias, str(model.version))

    def tag(self, model: RegisteredModel, tags: Mapping[str, str]) -> None:
        """Say more about a version."""
        for key, value in tags.items():
            self.client.set_model_version_tag(model.name, str(model.version), key, value)

    def require_champion(self, name: str) -> RegisteredModel:
        """Return the champion. Raises RequestError when there is none."""
        champion = self.aliased(name, CHAMPION)
        if champion is None:
            names = {model.name for model in self.client.search_registered_models()}
            hint = nearest(name, names) if name not in names else "run `thinfile promote` first"
            raise RequestError(f"model '{name}' has no champion; {hint}")
        return champion

    def read_record(self, run_id: str | None, name: str = CONFIG) -> Any:
        """Return a record that a run left, by default its resolved configuration; None when it has none."""
        if run_id is None or not any(file.path == name for file in self.client.list_artifacts(run_id)):
            return None
        return json.loads(Path(self.client.download_artifacts(run_id, name)).read_text())

    def study_run(self, start: str) -> Run:
        """Return the one run of a study whose id begins so. Raises RequestError when there is none, or several."""
        everywhere = [experiment.experiment_id for experiment in self.client.search_experiments()]
        runs = self.client.search_runs(everywhere, f"tags.`{KIND}` = '{STUDY_RUN}'", max_results=MOST_RUNS)
        found = [run for run in runs if run.info.run_id.startswith(start)]
        if len(found) == 1:
            return found[0]
        told = ", ".join(sorted(run.info.run_id for run in found or runs)[:RUNS_TOLD]) or "none"
        rule = "must begin one study's id alone" if found else "must be a study's run"
        raise RequestError(f"run {rule}, received '{start}'; known: {told} (`thinfile compare` lists their models)")

    def read_trace(self, run_id: str, metric: str) -> list[float]:
        """Return a metric of a run by step."""
        points = sorted(self.client.get_metric_history(run_id, metric), key=lambda point: point.step)
        return [float(point.value) for point in points]

    def children(self, run_id: str) -> list[Run]:
        """Return the runs that were opened under a run."""
        experiment = self.client.get_run(run_id).info.experiment_id
        return list(self.client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run_id}'"))

    def description(self, name: str) -> str:
        """Return what people wrote about a registered model in MLflow."""
        return str(self.client.get_registered_model(name).description or "")

    def attach(self, model: RegisteredModel, folder: Path) -> None:
        """Put the files of a folder beside a registered model."""
        if model.model_id is None:
            raise RequestError(
                f"{model.name} version {model.version} is not a logged model of MLflow 3, nothing can be put beside "
                "it; log and register it again with mlflow>=3"
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


def _name_itself(folder: Path, model_id: str, run_id: str) -> None:
    """Write into a saved model which logged model it is and which run made it."""
    described = Model.load(folder)
    described.model_id, described.run_id = model_id, run_id
    described.save(folder / "MLmodel")


def _is_initialised(workspace: Workspace) -> bool:
    """Return whether MLflow's tables are there whole; their version is what MLflow writes last."""
    if not workspace.database:
        return workspace.mlflow.exists()
    return inspect(open_engine(workspace.database)).has_table("alembic_version")


def _initialise_once(workspace: Workspace) -> None:
    """Create the database: workers that meet a half-made one would crash."""
    if _is_initialised(workspace):
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    if workspace.database:
        with advisory_lock(open_engine(workspace.database), "thinfile tables"):
            if not _is_initialised(workspace):
                SqlAlchemyStore(address(workspace.database), workspace.artifacts.as_uri()).engine.dispose()
        return
    with new_sqlite(workspace.mlflow) as fresh:
        SqlAlchemyStore(sqlite_url(fresh), workspace.artifacts.as_uri()).engine.dispose()
