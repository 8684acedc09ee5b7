"""The verb tune: search the parameters of candidates, then register the best model with its evidence as challenger."""

import json
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

from experiments.evidence.leak import early_leak_warnings
from experiments.experiment.experiment import Experiment, resolve
from experiments.experiment.recorded_settings import FAMILY
from experiments.experiment.settings import TuneSettings
from experiments.search.budget import Budget, budget_of
from experiments.search.finalists import Finalist, choose_final, held_out_scores
from experiments.search.objective import objective_of
from experiments.search.out_of_fold import CrossValidation
from experiments.search.plan import plan, searched_families
from experiments.search.registration import register_finalist
from experiments.search.study import Study
from experiments.search.tracking import Tracking, read_final, record_final, record_trials, run_metrics, tracked
from experiments.search.trial_result import Objective, TrialResult, best_of
from experiments.search.workers import other_workers
from pipelines.candidates.settings import AutoSettings
from pipelines.candidates.training import check_features
from pipelines.command.progress import progress
from pipelines.command.verb import Outcome, carried
from pipelines.errors import listed
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CANDIDATE, CHALLENGER, EVALUATION, MODEL_HASH, REGISTERED
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)

MOST_COLUMNS = 12
"""So many columns of a long list are named; the run's record names them all."""


def tune(settings: TuneSettings) -> Outcome:
    """Run or continue the study that the settings describe; an ended study registers nothing new."""
    budget = budget_of(settings)
    if isinstance(settings.candidate, AutoSettings):
        searched_families(settings.candidate)  # refused before the data are read
    experiment = resolve(settings)
    workspace = Workspace.at(settings.workspace)
    log_data(experiment)
    check_features(experiment.development)
    validation = CrossValidation(experiment)
    study = _open(experiment, validation)
    others = other_workers(partial(help_tune, settings, budget), workers=settings.workers, threads=settings.threads)
    with others, tracked(ModelStore(workspace), study, experiment) as tracking:
        search(study, experiment, objective_of(validation), budget)
        with study.locks.waited_for(f"{study.name}/finish"):
            trials = study.finished()
            finalist = _final(tracking, experiment, validation, trials)
            registered, is_new = _register(tracking, experiment, validation, trials, finalist)
            record_trials(tracking, experiment, trials)
    return _outcome(experiment, registered, trials, finalist, tracking, is_new)


def help_tune(settings: TuneSettings, budget: Budget) -> None:
    """Work on the study that the settings describe, beside the process that records it."""
    experiment = resolve(settings)
    validation = CrossValidation(experiment)
    for _ in trials_of(_open(experiment, validation), objective_of(validation), budget):
        pass


def _open(experiment: Experiment, validation: CrossValidation) -> Study:
    space, guide = plan(experiment, stops=validation.stops)
    return Study(
        Workspace.at(experiment.settings.workspace),
        experiment.study,
        space,
        guide=guide,
        seed=experiment.settings.seed,
        title=experiment.title,
        deterministic=experiment.is_deterministic,
    )


def trials_of(study: Study, objective: Objective, budget: Budget) -> Iterator[TrialResult]:
    """Work on a study until its budget is used; yield each trial that this process finishes.

    Raises:
        KeyboardInterrupt: with what to do then, for the trials are kept.
    """
    try:
        yield from study.run(objective, budget.trials, lambda: budget.is_over(study.finished()))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_interrupted(study.finished())) from None


def _interrupted(finished: list[TrialResult]) -> str:
    if not finished:
        return ""
    return (
        f"interrupted after {len(finished)} trials, best cross-validated AUC {best_of(finished).value:.4f}: the same "
        f"command goes on; with trials={len(finished)} it registers the best model"
    )


def search(study: Study, experiment: Experiment, objective: Objective, budget: Budget) -> None:
    """Work on a study until its budget is used, and show how far it is."""
    best = max((trial.value for trial in study.finished()), default=0.0)
    with progress(f"{experiment.family} trials", budget.trials, log) as advance:
        for trial in trials_of(study, objective, budget):
            best, finished = max(best, trial.value), study.finished()
            left = budget.left(finished)
            words = [
                *([str(trial.parameters[FAMILY])] if FAMILY in trial.parameters else []),
                f"best cross-validated AUC {best:.4f}",
                *([] if left is None else [f"{left:.0f} s left"]),
            ]
            advance(len(finished), ", ".join(words))


def _final(
    tracking: Tracking, experiment: Experiment, validation: CrossValidation, trials: list[TrialResult]
) -> Finalist:
    """Return what the study registers, from the record where the same trials and settings led to it before."""
    settings = experiment.settings
    basis = {
        "trials": [trial.number for trial in trials],
        "final": settings.final.value,
        "choose": settings.choose.value,
        "max_cost": settings.max_cost,
    }
    recorded = read_final(tracking)
    if recorded is not None and recorded["basis"] == basis:
        return Finalist.of_record(recorded)
    finalist = choose_final(experiment, validation, trials)
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
    store, run_id = tracking.store, tracking.run_id
    registered = register_finalist(
        store,
        experiment,
        finalist,
        held_out=lambda: held_out_scores(validation, trials, finalist),
        mlflow_experiment=tracking.mlflow_experiment,
        run_id=run_id,
    )
    if store.client.get_run(run_id).data.tags.get(REGISTERED) == str(registered.version):
        return registered, False
    store.set_alias(registered, CHALLENGER)
    metrics = run_metrics(finalist.value, json.loads(registered.tags[EVALUATION]))
    store.log(run_id, metrics=metrics, tags={REGISTERED: str(registered.version)})
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
    if applications.erased:
        lines.append(f"left out {applications.erased:,} rows of erased people")
    return lines


def _outcome(
    experiment: Experiment,
    registered: RegisteredModel,
    trials: list[TrialResult],
    finalist: Finalist,
    tracking: Tracking,
    is_new: bool,
) -> Outcome:
    evaluation = json.loads(registered.tags[EVALUATION])
    result = {
        "study": experiment.study,
        "run_id": tracking.run_id,
        "candidate": registered.tags[CANDIDATE],
        "trials": len(trials),
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
    summary = _summary(experiment, registered, finalist, evaluation, is_new)
    return Outcome(result, summary=summary, next_steps=_next(experiment))


def _summary(
    experiment: Experiment, registered: RegisteredModel, finalist: Finalist, evaluation: dict[str, Any], is_new: bool
) -> list[str]:
    measures = evaluation["measures"]
    tested = ", ".join(
        f"{title} {measures[name]['value']:.3f} ({measures[name]['low']:.3f} to {measures[name]['high']:.3f})"
        for name, title in {"auc": "AUC", "gini": "Gini", "ks": "KS", "brier": "Brier"}.items()
    )
    news = "registered as" if is_new else "nothing new: this study's best model is already"
    advice = experiment.split.advice
    return [
        f"{experiment.family}: {_name(finalist)}, cross-validated AUC {finalist.value:.4f}",
        *_parts(finalist),
        f"  on {evaluation['rows']} test applications, {evaluation['bad']} bad: {tested}",
        f"  {_shrinkage(finalist.value, measures['auc']['value'])}",
        f"  {news} {registered.name} version {registered.version} (study {experiment.study})",
        *([] if advice is None else [f"  warning: {advice}"]),
    ]


def _shrinkage(searched: float, tested: float) -> str:
    """Return how the AUC of the search compares with that of the test part.

    >>> _shrinkage(0.79, 0.78), _shrinkage(0.78, 0.79)
    ('the test AUC is 0.0100 below that of the search', 'the test AUC is 0.0100 above that of the search')
    """
    return (
        f"the test AUC is {abs(tested - searched):.4f} {'below' if tested < searched else 'above'} that of the search"
    )


def _name(finalist: Finalist) -> str:
    return f"best trial {finalist.label}" if finalist.label.isdigit() else finalist.label


def _parts(finalist: Finalist) -> list[str]:
    """Return lines with the parameters of a finalist, one for each part of a blend."""
    parts = finalist.parameters.get("parts")
    if parts is None:
        return [f"  {_text(finalist.parameters) or 'the configured parameters'}"]
    cost = [] if finalist.cost is None else [f"  {finalist.cost:.3g} microseconds per row on one core"]
    return [f"  {part['weight']:.0%} {part['family']}: {_text(part['parameters'])}" for part in parts] + cost


def _text(parameters: Any) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float | int) else f"{name} {value}"
        for name, value in parameters.items()
    )


def _next(experiment: Experiment) -> list[str]:
    where = carried(experiment.settings)
    return [f"thinfile compare{where}", f"thinfile promote{where}"]
