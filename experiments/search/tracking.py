"""The record of a study in MLflow: one run for the study, and one for each of its best trials."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from experiments.experiment.experiment import Experiment
from experiments.search.budget import budget_of
from experiments.search.plan import families_of
from experiments.search.run_record import data_record, joined_environments, trials_record
from experiments.search.study import Study
from experiments.search.trial_result import TrialResult
from pipelines.command.provenance import provenance
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import (
    CONFIG,
    CONFIG_HASH,
    DATA_RECORD,
    FINAL,
    KIND,
    PROVENANCE,
    REGISTERED,
    STUDY,
    STUDY_RUN,
    TRIAL,
    TRIAL_RUN,
    TRIALS,
)
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.fingerprint import fingerprint_record

BEST_CV_AUC = "best_cv_auc"
"""The metric that shows the course of the search, by trial."""

TOP_TRIALS = 5
"""So many trials get a run of their own in MLflow: hundreds flood its pages and slow them."""


@dataclass(frozen=True)
class Tracking:
    """Where the study is recorded in MLflow."""

    store: ModelStore
    mlflow_experiment: str
    run_id: str


@contextmanager
def tracked(store: ModelStore, study: Study, experiment: Experiment) -> Iterator[Tracking]:
    """Keep one MLflow run for the study; it is RUNNING only while a worker lives."""
    mlflow_experiment = store.experiment(experiment.settings.model)
    with study.locks.held_as_worker(study.name):
        with study.locks.waited_for("reconcile"):
            _close_abandoned(store, study, mlflow_experiment)
            run_id = store.open_run(mlflow_experiment, _run_name(experiment), {STUDY: study.name, KIND: STUDY_RUN})
        tracking = Tracking(store, mlflow_experiment, run_id)
        try:
            if _goes_on(store, run_id, study, experiment):
                _record_experiment(tracking, experiment)
            yield tracking
        except BaseException as error:
            store.close_run(run_id, "FAILED" if isinstance(error, Exception) else "KILLED")
            raise
        store.close_run(run_id)


def _close_abandoned(store: ModelStore, study: Study, mlflow_experiment: str) -> None:
    for run in store.running(mlflow_experiment):
        owner = run.data.tags.get(STUDY)
        if owner and not study.locks.has_worker(owner):
            store.close_run(run.info.run_id, "KILLED")


def _goes_on(store: ModelStore, run_id: str, study: Study, experiment: Experiment) -> bool:
    """Return whether there is work left: nothing is registered yet, or more trials or time are allowed."""
    trials = budget_of(experiment.settings).trials
    is_registered = REGISTERED in store.client.get_run(run_id).data.tags
    return not is_registered or trials is None or len(study.finished()) < trials


def _run_name(experiment: Experiment) -> str:
    return f"{experiment.family} {experiment.study[:8]}"


def _record_experiment(tracking: Tracking, experiment: Experiment) -> None:
    settings, record = experiment.settings, experiment.record()
    tracking.store.log(
        tracking.run_id,
        parameters={
            "candidate": experiment.family,
            "calibration": settings.candidate.calibration.value,
            "seed": settings.seed,
            "threads": settings.threads,
            "reject_inference": settings.reject_inference.value,
            "folds": len(experiment.split.folds),
            "split": experiment.split.description,
            "data_fingerprint": experiment.applications.fingerprint,
        },
    )
    before = tracking.store.read_record(tracking.run_id, PROVENANCE)
    packages = tuple(dict.fromkeys(name for family in families_of(experiment) for name in family.packages))
    made_with = joined_environments(before, provenance(settings.threads, packages))
    tracking.store.log(
        tracking.run_id,
        tags={
            "mlflow.source.git.commit": str(made_with["git_commit"]),
            CONFIG_HASH: fingerprint_record(record),
        },
    )
    with scratch_folder(tracking.store.workspace.root) as folder:
        (folder / CONFIG).write_text(json.dumps(record, indent=1))
        (folder / PROVENANCE).write_text(json.dumps(made_with, indent=1))
        (folder / DATA_RECORD).write_text(json.dumps(data_record(experiment), indent=1))
        tracking.store.log_files(tracking.run_id, folder)


def run_metrics(cv_auc: float, evaluation: dict[str, Any]) -> dict[str, float]:
    """Return the metrics of a study's run: the AUC in the search, and the evaluation on the test part."""
    measures = evaluation["measures"]
    metrics = {f"test_{name}": measures[name]["value"] for name in ("auc", "gini", "ks", "brier")}
    ends = {f"test_auc_{end}": measures["auc"][end] for end in ("low", "high")}
    return metrics | ends | {"cv_auc": cv_auc}


def record_final(tracking: Tracking, record: dict[str, Any]) -> None:
    """Log what a study registers."""
    with scratch_folder(tracking.store.workspace.root) as folder:
        (folder / FINAL).write_text(json.dumps(record, indent=1))
        tracking.store.log_files(tracking.run_id, folder)


def read_final(tracking: Tracking) -> dict[str, Any] | None:
    """Return what a study registered, None before it has registered anything."""
    record: dict[str, Any] | None = tracking.store.read_record(tracking.run_id, FINAL)
    return record


def record_trials(tracking: Tracking, experiment: Experiment, trials: list[TrialResult]) -> None:
    """Log the course of the search to the study's run, and a run for each of the best trials."""
    best_so_far = [max(trial.value for trial in trials[: place + 1]) for place in range(len(trials))]
    tracking.store.log_trace(tracking.run_id, BEST_CV_AUC, best_so_far)
    with scratch_folder(tracking.store.workspace.root) as folder:
        (folder / TRIALS).write_text(json.dumps(trials_record(trials), indent=1))
        tracking.store.log_files(tracking.run_id, folder)
    for trial in sorted(trials, key=lambda one: (-one.value, one.number))[:TOP_TRIALS]:
        tags = {STUDY: experiment.study, KIND: TRIAL_RUN, TRIAL: str(trial.number)}
        if tracking.store.is_finished(tracking.mlflow_experiment, tags):
            continue
        run_id = tracking.store.open_run(
            tracking.mlflow_experiment, f"trial {trial.number}", tags, parent=tracking.run_id
        )
        gap = {} if trial.unfairness is None else {"cv_gap": trial.unfairness}
        tracking.store.log(run_id, metrics={"cv_auc": trial.value} | gap, parameters=trial.parameters)
        tracking.store.close_run(run_id)
