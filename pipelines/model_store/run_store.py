"""Runs in MLflow: experiments, what is logged to a run, and what is read back from it."""

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Experiment, InputTag, Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException

from pipelines.errors import RequestError, ThinfileError
from pipelines.model_store.addresses import (
    TRACKING,
    experiment_name,
    is_server,
    registry_uri,
    shown_uri,
    tracking_uri,
)
from pipelines.model_store.data_part import DataPart
from pipelines.model_store.local_copies import LocalCopies
from pipelines.model_store.readiness import make_ready
from pipelines.model_store.tags import CONFIG, KIND, STUDY_RUN, TRIALS, WARM_START
from pipelines.secrets.private_files import make_folder
from pipelines.storage.workspace import Workspace

MOST_RUNS = 50_000
RUNS_SHOWN = 5

ALREADY_EXISTS, DOES_NOT_EXIST = "RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"
PERMISSION_DENIED = "PERMISSION_DENIED"
"""Error codes of MLflow."""

ACTIVE = "active"
"""The life-cycle stage of experiments and runs that are not deleted."""


LONGEST_DIGEST = 36
"""Characters of a data set's digest in MLflow."""


class RunStore:
    """The runs of one workspace, where `addresses` says.

    MLflow's global addresses are left alone: MLflow would write them into the environment, which the next command of
    this process reads.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.url, self.registry_url = tracking_uri(workspace), registry_uri(workspace)
        for url in dict.fromkeys((self.url, self.registry_url)):
            make_ready(url, workspace)
        self.client = MlflowClient(self.url, self.registry_url)
        self.copies = LocalCopies(workspace.root, self.url)
        self._artifacts_of: dict[str, str] = {}

    def experiment_of(self, model: str) -> str:
        """Return the id of the experiment for the runs of a model, created when it is new (see `experiment_name`)."""
        return self.experiment(experiment_name(model))

    def experiment(self, name: str) -> str:
        """Return the id of an experiment, created when it is new."""
        experiment = self.client.get_experiment_by_name(name)
        if experiment is not None:
            self._check_active(experiment)
            return str(experiment.experiment_id)
        location = None if is_server(self.url) else self._own_location(name)  # a server has one of its own
        try:
            return str(self.client.create_experiment(name, artifact_location=location))
        except MlflowException as error:
            if error.error_code != ALREADY_EXISTS:
                raise
            return self.experiment(name)  # another worker was first

    def _own_location(self, name: str) -> str:
        make_folder(self.workspace.artifacts)
        return (self.workspace.artifacts / name).as_uri()

    def find_run(self, experiment: str, tags: Mapping[str, str]) -> Run | None:
        """Return the run that has all these tags, None without one."""
        runs = self.client.search_runs([experiment], filter_of(tags), max_results=1)
        return runs[0] if runs else None

    def is_finished(self, experiment: str, tags: Mapping[str, str]) -> bool:
        """Return whether the run with these tags exists and has finished without failing."""
        run = self.find_run(experiment, tags)
        return run is not None and run.info.status == "FINISHED"

    def running(self, experiment: str) -> list[Run]:
        """Return the runs with the status RUNNING."""
        return list(self.client.search_runs([experiment], "attributes.status = 'RUNNING'"))

    def open_run(
        self,
        experiment: str,
        name: str,
        tags: Mapping[str, str],
        parent: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> str:
        """Return the id of the one run with these tags, created or set to RUNNING again; the `labels` are added."""
        labels = labels or {}
        run = self.find_run(experiment, tags)
        if run is not None:
            self.client.update_run(run.info.run_id, status="RUNNING")
            if labels:
                self.log(run.info.run_id, tags=labels)
            return str(run.info.run_id)
        nested = {"mlflow.parentRunId": parent} if parent else {}
        return str(self.client.create_run(experiment, tags={**tags, **labels, **nested}, run_name=name).info.run_id)

    def log(
        self,
        run_id: str,
        *,
        metrics: Mapping[str, float] | None = None,
        parameters: Mapping[str, object] | None = None,
        tags: Mapping[str, str] | None = None,
        model_id: str | None = None,
    ) -> None:
        """Log to a run in one call; a parameter that is logged already keeps its value.

        The metrics are those of the logged model `model_id` too.
        """
        now = int(time.time() * 1000)
        of_model = {} if model_id is None else {"model_id": model_id, "run_id": run_id}
        self.client.log_batch(
            run_id,
            metrics=[Metric(name, value, now, 0, **of_model) for name, value in (metrics or {}).items()],
            params=[Param(name, str(value)) for name, value in (parameters or {}).items()],
            tags=[RunTag(name, value) for name, value in (tags or {}).items()],
        )

    def log_data(self, run_id: str, data: Sequence[DataPart]) -> None:
        """Log what a run learns from and is measured on; what is logged already stays once."""
        inputs = [
            DatasetInput(
                Dataset(
                    one.name, one.fingerprint[:LONGEST_DIGEST], "local", one.source, profile=json.dumps(one.profile)
                ),
                [InputTag("mlflow.data.context", one.use)],
            )
            for one in data
        ]
        self.client.log_inputs(run_id, inputs)

    def log_trace(self, run_id: str, metric: str, values: Sequence[float]) -> None:
        """Log a metric by step; steps that are logged already are left out."""
        logged = {point.step for point in self.client.get_metric_history(run_id, metric)}
        now = int(time.time() * 1000)
        steps = [Metric(metric, value, now, step) for step, value in enumerate(values) if step not in logged]
        for start in range(0, len(steps), 1000):
            self.client.log_batch(run_id, metrics=steps[start : start + 1000])

    def log_files(self, run_id: str, folder: Path) -> None:
        """Log the files of a folder to a run."""
        self.client.log_artifacts(run_id, str(folder))

    def close_run(self, run_id: str, status: str = "FINISHED") -> None:
        """Set the final status of a run."""
        self.client.set_terminated(run_id, status)

    def read_record(self, run_id: str | None, name: str = CONFIG) -> Any:
        """Return a JSON file of a run, by default its resolved configuration; None when the run has no such file.

        Raises:
            ThinfileError: the file is not what Thinfile wrote.
        """
        location = self._artifact_location(run_id) if run_id else None
        if location is None or name not in self.copies.names(location):
            return None
        try:
            record = json.loads(self.copies.file(location, name).read_text(errors="replace"))
        except ValueError:
            record = None
        if not isinstance(record, list if name in (TRIALS, WARM_START) else dict):
            raise ThinfileError(f"the file {name} of run {run_id} is not what Thinfile wrote; restore it from a copy")
        return record

    def _artifact_location(self, run_id: str) -> str | None:
        """Return where the files of a run are, None for a run that is no longer in MLflow."""
        if run_id not in self._artifacts_of:
            try:
                self._artifacts_of[run_id] = self.client.get_run(run_id).info.artifact_uri
            except MlflowException as error:
                if error.error_code != DOES_NOT_EXIST:
                    raise
                return None
        return self._artifacts_of[run_id]

    def _refuse_deleted(self, prefix: str) -> None:
        """Raise RequestError where a run whose id starts with a prefix was deleted in MLflow."""
        for experiment in self.client.search_experiments(view_type=ViewType.ALL):
            for run in self.client.search_runs([experiment.experiment_id], run_view_type=ViewType.DELETED_ONLY):
                if run.info.run_id.startswith(prefix):
                    self._check_active(experiment)
                    raise RequestError(
                        f"run '{run.info.run_id}' was deleted in MLflow; restore it with "
                        f"`{self._command(f'runs restore --run-id {run.info.run_id}')}`"
                    )

    def _check_active(self, experiment: Experiment) -> None:
        if experiment.lifecycle_stage != ACTIVE:
            raise RequestError(
                f"experiment '{experiment.name}' was deleted in MLflow; restore it with "
                f"`{self._command(f'experiments restore --experiment-id {experiment.experiment_id}')}`"
            )

    def _command(self, words: str) -> str:
        """Return a command of MLflow for this store."""
        return f"{TRACKING}={shlex.quote(shown_uri(self.url))} mlflow {words}"

    def read_trace(self, run_id: str, metric: str) -> list[float]:
        """Return a metric of a run by step."""
        points = sorted(self.client.get_metric_history(run_id, metric), key=lambda point: point.step)
        return [float(point.value) for point in points]

    def study_run(self, prefix: str) -> Run:
        """Return the one run of a study whose id starts with a prefix.

        Raises:
            RequestError: none or several do, or the run was deleted in MLflow.
        """
        everywhere = [experiment.experiment_id for experiment in self.client.search_experiments()]
        runs = self.client.search_runs(everywhere, f"tags.`{KIND}` = '{STUDY_RUN}'", max_results=MOST_RUNS)
        matching = [run for run in runs if run.info.run_id.startswith(prefix)]
        if len(matching) == 1:
            return matching[0]
        if not matching:
            self._refuse_deleted(prefix)
        ids = ", ".join(sorted(run.info.run_id for run in matching or runs)[:RUNS_SHOWN]) or "none"
        problem = f"matches {len(matching)} studies" if matching else "is not a study's run"
        raise RequestError(f"run '{prefix}' {problem}; give one of: {ids} (`thinfile compare` lists their models)")

    def children(self, run_id: str) -> list[Run]:
        """Return the runs nested under a run."""
        experiment = self.client.get_run(run_id).info.experiment_id
        return list(self.client.search_runs([experiment], filter_of({"mlflow.parentRunId": run_id})))


def filter_of(tags: Mapping[str, str]) -> str:
    """Return MLflow's search expression for all these tags.

    >>> filter_of({"a": "1", "b": "2"})
    "tags.`a` = '1' and tags.`b` = '2'"
    """
    return " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
