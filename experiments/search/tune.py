"""The verb tune: search a candidate's parameters, then register the best model with its evidence as challenger."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from experiments.evidence.leak import early_leak_warnings
from experiments.experiment.experiment import Experiment, resolve
from experiments.experiment.settings import TuneSettings
from experiments.search.registration import register_trial
from experiments.search.run_record import data_record, joined_environments, trials_record
from experiments.search.space import space_of
from experiments.search.study import Study
from experiments.search.trial_result import Objective, ObjectiveValue, Parameters, TrialResult, best_of, starting_with
from pipelines.candidates.registry import families_in
from pipelines.candidates.training import check_features, held_out_log_odds
from pipelines.command.progress import progress
from pipelines.command.provenance import provenance
from pipelines.command.verb import Outcome, carried
from pipelines.credit.discrimination import auc
from pipelines.errors import listed
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import (
    CHALLENGER,
    CONFIG,
    CONFIG_HASH,
    DATA_RECORD,
    EVALUATION,
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
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)

MOST_COLUMNS = 12
"""So many columns of a long list are named; the run's record names them all."""

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


def tune(settings: TuneSettings) -> Outcome:
    """Run or continue the study that the settings describe; an ended study registers nothing new."""
    experiment = resolve(settings)
    workspace = Workspace.at(settings.workspace)
    space = space_of(experiment.candidate.parameters, settings.candidate.space)
    log_data(experiment)
    configured = asdict(experiment.candidate.parameters)
    check_features(experiment.development)
    guide = starting_with(configured)
    study = Study(
        workspace,
        experiment.study,
        space,
        guide=guide,
        seed=settings.seed,
        title=experiment.title,
        deterministic=settings.deterministic,
    )
    with tracked(ModelStore(workspace), study, experiment) as tracking:
        search(study, experiment, objective_of(experiment))
        with study.locks.waited_for(f"{study.name}/finish"):
            trials = study.finished()
            registered, is_new = _register_best(tracking, experiment, best_of(trials))
            record_trials(tracking, experiment, trials)
    return _outcome(experiment, registered, trials, tracking, is_new)


def objective_of(experiment: Experiment) -> Objective:
    """Return the objective: the cross-validated AUC of parameters on the development part."""
    settings, folds = experiment.settings, experiment.split.folds

    def cross_validated_auc(parameters: Parameters) -> ObjectiveValue:
        candidate, sample = experiment.candidate_with(dict(parameters)), experiment.sample_with(parameters)
        held_out = held_out_log_odds(candidate, sample, folds, seed=settings.seed, threads=settings.threads)
        return ObjectiveValue(fmean(auc(sample.bad[fold.held_out], log_odds)
                            for fold, log_odds in zip(folds, held_out, strict=True)))  # fmt: skip

    return cross_validated_auc


def search(study: Study, experiment: Experiment, objective: Objective) -> None:
    """Work on a study until it has its trials, and show how far it is."""
    trials = experiment.settings.trials
    best = max((trial.value for trial in study.finished()), default=0.0)
    with progress(f"{experiment.candidate.family} trials", trials, log) as advance:
        for trial in study.run(objective, trials):
            best = max(best, trial.value)
            advance(len(study.finished()), f"best cross-validated AUC {best:.4f}")


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
            if (
                REGISTERED not in store.client.get_run(run_id).data.tags
                or len(study.finished()) < experiment.settings.trials
            ):
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


def _run_name(experiment: Experiment) -> str:
    return f"{experiment.candidate.family} {experiment.study[:8]}"


def _record_experiment(tracking: Tracking, experiment: Experiment) -> None:
    settings, record = experiment.settings, experiment.record()
    tracking.store.log(
        tracking.run_id,
        parameters={
            "candidate": experiment.candidate.family,
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
    packages = [name for family in families_in(experiment.candidate) for name in family.packages]
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


def _register_best(tracking: Tracking, experiment: Experiment, best: TrialResult) -> tuple[RegisteredModel, bool]:
    """Return the version of the best trial and whether it is new; the alias and the run's mark are set last."""
    store, run_id = tracking.store, tracking.run_id
    registered = register_trial(store, experiment, best, mlflow_experiment=tracking.mlflow_experiment, run_id=run_id)
    if store.client.get_run(run_id).data.tags.get(REGISTERED) == str(registered.version):
        return registered, False
    store.set_alias(registered, CHALLENGER)
    metrics = run_metrics(best, json.loads(registered.tags[EVALUATION]))
    store.log(run_id, metrics=metrics, tags={REGISTERED: str(registered.version)})
    return registered, True


def run_metrics(best: TrialResult, evaluation: dict[str, Any]) -> dict[str, float]:
    """Return the metrics of a study's run from its best trial and that trial's evaluation on the test part."""
    measures = evaluation["measures"]
    metrics = {f"test_{name}": measures[name]["value"] for name in ("auc", "gini", "ks", "brier")}
    ends = {f"test_auc_{end}": measures["auc"][end] for end in ("low", "high")}
    return metrics | ends | {"cv_auc": best.value}


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


def log_data(experiment: Experiment) -> None:
    """Log what the data of a search is, and warn of possible leaks and immature outcomes."""
    for line in about_data(experiment):
        log.info(line)
    settings, applications = experiment.settings, experiment.applications
    development = applications.take(experiment.split.development)
    warnings = early_leak_warnings(settings.data, development, settings.policy.gates)
    if applications.possible_immaturity is not None:
        warnings.append(applications.possible_immaturity)
    for warning in warnings:
        log.warning(warning)


def about_data(experiment: Experiment) -> list[str]:
    """Return lines that describe the data of a search."""
    applications = experiment.applications
    lines = [
        f"{len(applications):,} applications, {int(applications.outcomes.sum()):,} bad; {experiment.split.description}"
    ]
    lines += [f"inferred {listed(line.split(', '), MOST_COLUMNS)}" for line in applications.roles.inferred]
    lines += [f"quarantined {rows:,} rows: {rule}" for rule, rows in applications.quarantined.items()]
    return lines


def _outcome(
    experiment: Experiment, registered: RegisteredModel, trials: list[TrialResult], tracking: Tracking, is_new: bool
) -> Outcome:
    evaluation = json.loads(registered.tags[EVALUATION])
    best = best_of(trials)
    result = {
        "study": experiment.study,
        "run_id": tracking.run_id,
        "candidate": experiment.candidate.family,
        "trials": len(trials),
        "best_trial": best.number,
        "parameters": best.parameters,
        "cv_auc": best.value,
        "model": registered.name,
        "version": registered.version,
        "is_new": is_new,
        "model_hash": registered.tags["thinfile.model_hash"],
        "data_fingerprint": experiment.applications.fingerprint,
        "quarantined": experiment.applications.quarantined,
        "test": evaluation,
    }
    return Outcome(
        result, summary=_summary(experiment, registered, best, evaluation, is_new), next_steps=_next(experiment)
    )


def _summary(
    experiment: Experiment, registered: RegisteredModel, best: TrialResult, evaluation: dict[str, Any], is_new: bool
) -> list[str]:
    measures = evaluation["measures"]
    parameters = ", ".join(f"{name} {value:.4g}" for name, value in best.parameters.items())
    tested = ", ".join(
        f"{title} {measures[name]['value']:.3f} ({measures[name]['low']:.3f} to {measures[name]['high']:.3f})"
        for name, title in {"auc": "AUC", "gini": "Gini", "ks": "KS", "brier": "Brier"}.items()
    )
    news = "registered as" if is_new else "nothing new: this study's best model is already"
    return [
        f"{experiment.candidate.family}: best trial {best.number}, cross-validated AUC {best.value:.4f}",
        f"  {parameters or 'the configured parameters'}",
        f"  on {evaluation['rows']} test applications, {evaluation['bad']} bad: {tested}",
        f"  {news} {registered.name} version {registered.version} (study {experiment.study})",
    ]


def _next(experiment: Experiment) -> list[str]:
    where = carried(experiment.settings)
    return [f"thinfile compare{where}", f"thinfile promote{where}"]
