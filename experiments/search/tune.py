"""The verb tune: search the parameters of candidates, then register the best model with its evidence as challenger."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from experiments.evidence.leak import early_leak_warnings
from experiments.experiment.experiment import Experiment, resolve
from experiments.experiment.settings import TuneSettings
from experiments.search.budget import Budget, budget_of
from experiments.search.chosen_trial import check_choice
from experiments.search.constraints import check_constraints, check_directions_declared, constraints_of, feasible
from experiments.search.evaluation_folds import folds_record
from experiments.search.finalists import Finalist, choose_final, held_out_scores
from experiments.search.front_record import with_front
from experiments.search.no_feasible_trial import nothing_registered
from experiments.search.objective import objective_of
from experiments.search.out_of_fold import CrossValidation
from experiments.search.plan import plan, with_families
from experiments.search.run_labels import best_tags, note_tag
from experiments.search.running import help_search, interruptible, search
from experiments.search.second_objective import second_objective_of
from experiments.search.study import Ended, Study
from experiments.search.summary import summary_of
from experiments.search.tracking import Tracking, read_final, record_final, record_trials, run_metrics, tracked
from experiments.search.trial_result import FOLDS, TrialResult
from experiments.search.warm_start import started
from experiments.search.workers import other_workers
from pipelines.candidates.training import check_features
from pipelines.command.verb import Outcome, carried
from pipelines.errors import listed
from pipelines.model_store.promotions import require_known_numbers
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import CANDIDATE, CHALLENGER, MLFLOW_RUN_NOTE, MODEL_HASH, REGISTERED
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)

MOST_COLUMNS = 12
"""So many columns of a long list are named; the run's record names them all."""


def tune(settings: TuneSettings) -> Outcome:
    """Run or continue the study that the settings describe; an ended study registers nothing new."""
    budget = budget_of(settings)
    check_constraints(settings.constraints)
    check_choice(settings)
    require_known_numbers(Workspace.at(settings.workspace), settings.model)
    settings = with_families(settings)
    with started(resolve(settings)) as (experiment, notes):
        log_data(experiment)
        check_features(experiment.development)
        check_directions_declared(experiment)
        validation = CrossValidation(experiment)
        study = _open(experiment, validation, notes)
    others = other_workers(partial(help_tune, settings, budget), workers=settings.workers, threads=settings.threads)
    with interruptible(study, settings.time), others, tracked(study, experiment) as record:
        search(study, experiment, objective_of(validation), budget, record)
        tracking = record()
        with study.locks.waited_for(f"{study.name}/finish"):
            trials = study.finished()
            record_trials(tracking, experiment, trials)
            if not feasible(trials):
                return nothing_registered(experiment, tracking.run_id, trials)
            finalist = _final(tracking, experiment, validation, trials)
            registered, is_new = _register(tracking, experiment, validation, trials, finalist)
            outcome = _outcome(experiment, registered, study.ended(), finalist, tracking, is_new)
            return with_front(outcome, tracking, experiment, feasible(trials), finalist)


def help_tune(settings: TuneSettings, budget: Budget) -> None:
    """Work on the study that the settings describe, beside the process that records it."""
    with started(resolve(settings)) as (experiment, notes):
        validation = CrossValidation(experiment)
        study = _open(experiment, validation, notes)
    help_search(study, objective_of(validation), budget)


def _open(experiment: Experiment, validation: CrossValidation, notes: Mapping[str, Any]) -> Study:
    space, guide = plan(experiment, stops=validation.stops)
    second = second_objective_of(experiment.settings)
    study = Study(
        Workspace.at(experiment.settings.workspace),
        experiment.study,
        space,
        guide=guide,
        seed=experiment.settings.seed,
        title=experiment.title,
        deterministic=experiment.is_deterministic,
        second=None if second is None else second.title,
        constraints=constraints_of(experiment.settings.constraints),
    )
    for name, value in {**notes, FOLDS: folds_record(experiment, validation.folds)}.items():
        study.note(name, value)
    return study


def _final(
    tracking: Tracking, experiment: Experiment, validation: CrossValidation, trials: list[TrialResult]
) -> Finalist:
    """Return what the study registers, from the record where the same trials and settings led to it before."""
    settings = experiment.settings
    basis = {
        "trials": [trial.number for trial in trials],
        "final": settings.final.value,
        "choose": settings.choose,
        "max_cost": settings.max_cost,
    }
    recorded = read_final(tracking)
    if recorded is not None and recorded["basis"] == basis:
        return Finalist.of_record(recorded)
    log.info("choosing the final model from %d trials", len(trials))
    finalist = choose_final(experiment, validation, feasible(trials))
    record_final(tracking, {"basis": basis, **finalist.record()})
    return finalist


def _register(
    tracking: Tracking,
    experiment: Experiment,
    validation: CrossValidation,
    trials: list[TrialResult],
    finalist: Finalist,
) -> tuple[RegisteredModel, bool]:
    """Return the finalist's version and whether it is new; the alias and the run's mark are set last."""
    from experiments.search.registration import register_finalist

    store, run_id = tracking.store, tracking.run_id
    registered = register_finalist(
        tracking, experiment, finalist, held_out=lambda: held_out_scores(validation, trials, finalist)
    )
    present = store.client.get_run(run_id).data.tags
    if present.get(REGISTERED) == str(registered.version):
        return registered, False
    store.set_alias(registered, CHALLENGER)
    metrics = run_metrics(finalist.value, registered.evaluation)
    note = note_tag(experiment, registered, present.get(MLFLOW_RUN_NOTE, ""))
    tags = {REGISTERED: str(registered.version), **best_tags(finalist), **note}
    store.log(run_id, metrics=metrics, tags=tags, model_id=registered.model_id)
    return registered, True


def log_data(experiment: Experiment) -> None:
    """Log what the data of a search is, and warn of possible leaks and immature outcomes."""
    for line in about_data(experiment):
        log.info(line)
    settings, applications = experiment.settings, experiment.applications
    development = applications.take(experiment.split.development)
    warnings = early_leak_warnings(settings.data, development, settings.policy.gates)
    if applications.possible_immaturity is not None:
        warnings.append(applications.possible_immaturity)
    if experiment.split.advice is not None:
        warnings.append(experiment.split.advice)
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
    if experiment.settings.warm_start:
        studies = {one.study for one in experiment.starts}
        lines.append(f"warm start: {len(experiment.starts)} configurations of {len(studies)} earlier studies")
    if applications.erased:
        lines.append(f"left out {applications.erased:,} rows of erased people")
    if experiment.settings.leave_out:
        roles, kept = applications.roles, experiment.development.columns
        out = [name for name in (*roles.numeric, *roles.categorical) if name not in kept]
        lines.append(f"left out as features: {listed(out, MOST_COLUMNS)}")
    return lines


def _outcome(
    experiment: Experiment,
    registered: RegisteredModel,
    ended: Ended,
    finalist: Finalist,
    tracking: Tracking,
    is_new: bool,
) -> Outcome:
    evaluation = registered.evaluation
    result = {
        "study": experiment.study,
        "experiment": experiment.settings.experiment_name,
        "run_id": tracking.run_id,
        "candidate": registered.tags[CANDIDATE],
        "trials": ended.finished,
        "pruned": ended.pruned,
        "failed": ended.failed,
        "best_trial": max(finalist.weights, key=lambda number: finalist.weights[number]),
        "weights": finalist.record()["weights"],
        "parameters": dict(finalist.parameters),
        "cost": finalist.cost,
        "cv_auc": finalist.value,
        "shrinkage": finalist.value - evaluation["measures"]["auc"]["value"],
        "model": registered.name,
        "version": registered.version,
        "is_new": is_new,
        "model_hash": registered.tags[MODEL_HASH],
        "data_fingerprint": experiment.applications.fingerprint,
        "quarantined": experiment.applications.quarantined,
        "erased": experiment.applications.erased,
        "immature": experiment.applications.immature,
        "split_advice": experiment.split.advice,
        "test": evaluation,
    }
    summary = summary_of(experiment, registered, finalist, ended, evaluation, is_new=is_new)
    return Outcome(result, summary=summary, next_steps=_next(experiment))


def _next(experiment: Experiment) -> list[str]:
    where = carried(experiment.settings)
    return [f"thinfile compare{where}", f"thinfile promote{where}"]
