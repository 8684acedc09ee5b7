"""The record of a study in MLflow: one run for the study, and one for each of its best trials."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from experiments.experiment.experiment import Experiment
from experiments.experiment.labels import name_tag
from experiments.experiment.settings import Search
from experiments.search.budget import budget_of
from experiments.search.plan import families_of
from experiments.search.run_labels import data_parts, run_name, run_tags, trial_name
from experiments.search.run_record import data_record, joined_environments, trials_record
from experiments.search.study import Study
from experiments.search.trial_result import TrialResult, best_of
from pipelines.command.provenance import provenance
from pipelines.model_store.addresses import is_own
from pipelines.model_store.tags import (
    CONFIG,
    CONFIG_HASH,
    DATA_RECORD,
    FINAL,
    KIND,
    LOCKS,
    PROVENANCE,
    REGISTERED,
    STUDY,
    STUDY_RUN,
    TRIAL,
    TRIAL_RUN,
    TRIALS,
    WARM_START,
    WORKER,
)
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.process import is_alive, process_identity
from pipelines.storage.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.model_store.store import ModelStore

BEST_CV_AUC = "best_cv_auc"
"""The metric that shows the course of the search, by trial."""

TOP_TRIALS = 5
"""So many trials get a run of their own in MLflow: hundreds flood its pages and slow them."""


@dataclass(frozen=True)
class Tracking:
    """Where the study is recorded in MLflow; all its runs and versions have the tags `study`, and no others have."""

    store: "ModelStore"
    mlflow_experiment: str
    run_id: str
    study: Mapping[str, str]


@contextmanager
def tracked(study: Study, experiment: Experiment) -> Iterator[Callable[[], Tracking]]:
    """Yield what opens the study's one MLflow run, once; it is RUNNING only while a worker lives."""
    trials = budget_of(experiment.settings).trials
    goes_on = trials is None or study.ended().trials < trials
    with ExitStack() as opened:
        yield cache(lambda: opened.enter_context(_open_run(study, experiment, goes_on=goes_on)))


@contextmanager
def _open_run(study: Study, experiment: Experiment, *, goes_on: bool) -> Iterator[Tracking]:
    """Open the study's run, and record the experiment unless the study has registered something and is over."""
    from pipelines.model_store.store import ModelStore

    workspace = Workspace.at(experiment.settings.workspace)
    store = ModelStore(workspace)
    mlflow_experiment = store.experiment_of(experiment.settings.model)
    with _closed_by_the_last(store, study) as opened:
        with study.locks.waited_for("reconcile"):
            _close_abandoned(store, study, mlflow_experiment, has_own_runs=is_own(workspace))
            tags = {STUDY: study.name} | ({} if is_own(workspace) else {LOCKS: study.locks.identity})
            run_id = store.open_run(
                mlflow_experiment, run_name(experiment), {**tags, KIND: STUDY_RUN}, labels=_worker_tags(study)
            )
            opened.append(run_id)
            _label(store, run_id, experiment)
        tracking = Tracking(store, mlflow_experiment, run_id, tags)
        if goes_on or REGISTERED not in store.client.get_run(run_id).data.tags:
            _record_experiment(tracking, experiment)
        yield tracking


@contextmanager
def _closed_by_the_last(store: "ModelStore", study: Study) -> Iterator[list[str]]:
    """Count as a worker of a study while the block lasts; the last of its workers closes the runs in the list."""
    runs, status = list[str](), "FINISHED"
    try:
        with study.locks.held_as_worker(study.name):
            yield runs
    except BaseException as error:
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        raise
    finally:
        with study.locks.waited_for("reconcile"):
            if not study.locks.has_worker(study.name):
                for run_id in runs:
                    store.close_run(run_id, status)


def _worker_tags(study: Study) -> dict[str, str]:
    return {LOCKS: study.locks.identity, WORKER: process_identity()}


def _close_abandoned(store: "ModelStore", study: Study, mlflow_experiment: str, *, has_own_runs: bool) -> None:
    """Close the runs whose worker is proven dead: only the locks of their study can tell.

    Where runs are beside these locks (`has_own_runs`), runs of earlier versions, which do not name their locks, have
    these too.
    """
    locks = study.locks
    unnamed = locks.identity if has_own_runs else None
    for run in store.running(mlflow_experiment):
        tags = run.data.tags
        is_ours = STUDY in tags and tags.get(LOCKS, unnamed) == locks.identity
        if is_ours and not locks.has_worker(tags[STUDY]) and not is_alive(tags.get(WORKER, "")):
            store.close_run(run.info.run_id, "KILLED")


def _label(store: "ModelStore", run_id: str, experiment: Experiment) -> None:
    """Add the experiment's name to the tags of the study's run, which is then named by the last one."""
    if experiment.settings.experiment_name is not None:
        store.log(run_id, tags=name_tag(experiment.settings, store.client.get_run(run_id).data.tags))
        store.client.update_run(run_id, name=run_name(experiment))


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
        tags={CONFIG_HASH: fingerprint_record(record), **run_tags(experiment, made_with)},
    )
    tracking.store.log_data(tracking.run_id, data_parts(experiment))
    with scratch_folder(tracking.store.workspace.root) as folder:
        (folder / CONFIG).write_text(json.dumps(record, indent=1))
        (folder / PROVENANCE).write_text(json.dumps(made_with, indent=1))
        (folder / DATA_RECORD).write_text(json.dumps(data_record(experiment), indent=1))
        if settings.warm_start:
            starts = [asdict(one) for one in experiment.starts]
            (folder / WARM_START).write_text(json.dumps(starts, indent=1))
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
    best_so_far = accumulate(trials, lambda best, trial: best_of([best, trial]))
    tracking.store.log_trace(tracking.run_id, BEST_CV_AUC, [trial.value for trial in best_so_far])
    with scratch_folder(tracking.store.workspace.root) as folder:
        (folder / TRIALS).write_text(json.dumps(trials_record(trials), indent=1))
        tracking.store.log_files(tracking.run_id, folder)
    for trial in sorted(trials, key=lambda one: one.rank)[:TOP_TRIALS]:
        tags = {**tracking.study, KIND: TRIAL_RUN, TRIAL: str(trial.number)}
        if tracking.store.is_finished(tracking.mlflow_experiment, tags):
            continue
        run_id = tracking.store.open_run(
            tracking.mlflow_experiment, trial_name(experiment, trial), tags, parent=tracking.run_id
        )
        second = {} if trial.second is None else {_second_metric(experiment): trial.second}
        tracking.store.log(run_id, metrics={"cv_auc": trial.value} | second, parameters=trial.parameters)
        tracking.store.close_run(run_id)


def _second_metric(experiment: Experiment) -> str:
    """Return the name of the metric of the second objective."""
    settings = experiment.settings
    return "cv_gap" if settings.search is Search.fair else f"cv_{settings.second_objective.value}"
