"""The verb tune with search=fair: finds less discriminatory alternatives to the most accurate model."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from experiments.experiment.experiment import Experiment, resolve
from experiments.experiment.feature_use import FULL_USE, Group, Parameters, is_use, use_of
from experiments.experiment.settings import ConstraintSettings, SecondObjective, TuneSettings
from experiments.fair_search.fairness_objective import FairnessObjective, fairness_objective_of
from experiments.fair_search.family import with_one_family
from experiments.fair_search.front import comparable, least_unfair, loss_at_most
from experiments.fair_search.guide import FairGuide
from experiments.fair_search.points import FairPoint, register_point
from experiments.fair_search.proxy_features import proxy_features_of
from experiments.fair_search.report import as_table, front_chart
from experiments.search.budget import Budget, budget_of
from experiments.search.evaluation_folds import folds_record
from experiments.search.front import non_dominated, spread
from experiments.search.running import help_search, interruptible, search
from experiments.search.space import Space, space_of, whole_numbers
from experiments.search.study import Study
from experiments.search.tracking import Tracking, record_trials, run_metrics, tracked
from experiments.search.trial_result import FOLDS, TrialResult, best_of
from experiments.search.tune import log_data
from experiments.search.workers import other_workers
from pipelines.candidates.training import check_features
from pipelines.charts.standalone import write_chart
from pipelines.command.verb import Outcome, carried
from pipelines.errors import ConfigurationError, nearest
from pipelines.model_store.promotions import require_known_numbers
from pipelines.model_store.tags import REGISTERED, TRIAL
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)

GAP, LOSS = "gap in approval rates", "loss"
"""The names of the second objective and of the constraint, as optuna-dashboard shows them."""

MOST_POINTS = 8
"""Most points of a front that are registered."""


def search_fair(settings: TuneSettings) -> Outcome:
    """Run or continue a fair search and register points of its front; a repeated call registers nothing new.

    Raises:
        ConfigurationError: several families, no attribute to compare, groups too small, or a rate or loss outside its
            range.
        DataError: the data breaks its contract or a part of the split is empty.
    """
    settings = with_one_family(settings)
    _check(settings)
    require_known_numbers(Workspace.at(settings.workspace), settings.model)
    experiment = resolve(settings)
    space = space_of(experiment.candidate.parameters, settings.candidate.space)
    log_data(experiment)
    check_features(experiment.development)
    budget, objective = budget_of(settings), fairness_objective_of(experiment)
    study = _open(objective, space)
    others = other_workers(partial(help_fair, settings, budget), workers=settings.workers, threads=settings.threads)
    with interruptible(study, settings.time), others, tracked(study, experiment) as record:
        search(study, experiment, objective.answer, budget, record)
        tracking = record()
        with study.locks.waited_for(f"{study.name}/finish"):
            trials = study.finished()
            points = [register_point(tracking, objective, trial) for trial in _points(trials, settings)]
            record_trials(tracking, experiment, trials)
            outcome = _outcome(tracking, objective, trials, points)
            _record_front(tracking, outcome.result, trials)
    return outcome


def help_fair(settings: TuneSettings, budget: Budget) -> None:
    """Work on the study that the settings describe, beside the process that records it."""
    objective = fairness_objective_of(resolve(settings))
    space = space_of(objective.experiment.candidate.parameters, settings.candidate.space)
    help_search(_open(objective, space), objective.answer, budget)


def _open(objective: FairnessObjective, space: Space) -> Study:
    experiment, settings = objective.experiment, objective.experiment.settings
    proxies = _proxies(experiment, objective)
    study = Study(
        Workspace.at(settings.workspace),
        experiment.study,
        dict(space) | whole_numbers(map(use_of, proxies), FULL_USE),
        guide=_guide(objective, proxies),
        seed=settings.seed,
        title=experiment.title,
        deterministic=experiment.is_deterministic,
        second=GAP,
        constraints={LOSS: loss_at_most(_auc(settings.fair.largest_gini_loss))},
    )
    study.note(FOLDS, folds_record(experiment, experiment.split.folds))
    return study


def _check(settings: TuneSettings) -> None:
    _check_own(settings)
    fair, protected = settings.fair, settings.data.protected
    if fair.attribute is None or fair.attribute not in protected:
        raise ConfigurationError(
            f"fair.attribute={fair.attribute or 'null'} is not in data.protected, and search=fair compares its groups; "
            f"{nearest(fair.attribute or '', protected)}"
        )
    if fair.approval_rate is not None and not 0 < fair.approval_rate < 1:
        raise ConfigurationError(
            f"fair.approval_rate must be between 0 and 1, received {fair.approval_rate:g}; use for example 0.7"
        )
    if not 0 <= fair.comparable_gini_loss <= fair.largest_gini_loss < 1:
        raise ConfigurationError(
            "fair.comparable_gini_loss must be between 0 and fair.largest_gini_loss, received "
            f"{fair.comparable_gini_loss:g} and {fair.largest_gini_loss:g}; use for example 0.01 and 0.03"
        )


def _check_own(settings: TuneSettings) -> None:
    """Refuse constraints, objectives and starts besides those of a fair search."""
    if settings.warm_start:
        raise ConfigurationError(
            "warm_start is true, and search=fair starts from the configured candidate; remove it, or use search=best"
        )
    if settings.constraints != ConstraintSettings():
        raise ConfigurationError(
            "constraints are set, and search=fair has one of its own (fair.largest_gini_loss); remove them, or use "
            "search=best"
        )
    if settings.second_objective is not SecondObjective.none:
        raise ConfigurationError(
            f"second_objective is {settings.second_objective.value}, and that of search=fair is the gap in approval "
            "rates; remove it, or use search=best"
        )


def _auc(gini: float) -> float:
    return gini / 2


def _proxies(experiment: Experiment, objective: FairnessObjective) -> list[Group]:
    closed = {name: gap for name, (_, gap) in objective.leverage({}, experiment.groups).items()}
    return proxy_features_of(experiment.groups, closed, experiment.development, objective.levels)


def _guide(objective: FairnessObjective, proxies: list[Group]) -> FairGuide:
    cache: dict[str, dict[str, tuple[float, float]]] = {}

    def leverage_of(parameters: Parameters) -> dict[str, tuple[float, float]]:
        name = json.dumps(parameters, sort_keys=True)
        if name not in cache:
            cache[name] = objective.leverage(parameters, proxies)
        return cache[name]

    experiment = objective.experiment
    configured, loss = asdict(experiment.candidate.parameters), _auc(experiment.settings.fair.comparable_gini_loss)
    return FairGuide(configured, [use_of(group) for group in proxies], loss, leverage_of)


def _points(trials: list[TrialResult], settings: TuneSettings) -> list[TrialResult]:
    """Return the trials to register: the most accurate, the recommended, and others spread over the front."""
    front = non_dominated(comparable(trials, _auc(settings.fair.largest_gini_loss)))
    recommended = least_unfair(front, _auc(settings.fair.comparable_gini_loss))
    return spread(front, MOST_POINTS, always=[front[0], recommended])


def _record_front(tracking: Tracking, result: Mapping[str, Any], trials: list[TrialResult]) -> None:
    """Log the front to the study's run, as JSON and as a chart; the tag that marks the run as done comes last."""
    store, run_id = tracking.store, tracking.run_id
    with scratch_folder(store.workspace.root) as folder:
        (folder / "front.json").write_text(json.dumps(result, indent=1))
        title = f"{result['candidate']}: what fairness costs, at {result['approval_rate']:.0%} approved"
        write_chart(folder / "front.svg", front_chart(result, trials), title)
        store.log_files(run_id, folder)
    most_accurate = store.version(result["model"], result["most_accurate"])
    best = next(one for one in trials if str(one.number) == most_accurate.tags[TRIAL])
    metrics = run_metrics(best.value, most_accurate.evaluation)
    store.log(run_id, metrics=metrics, tags={REGISTERED: str(result["recommended"])})


def _outcome(
    tracking: Tracking, objective: FairnessObjective, trials: list[TrialResult], points: list[FairPoint]
) -> Outcome:
    experiment, fair = objective.experiment, objective.experiment.settings.fair
    recommended = least_unfair(trials, _auc(fair.comparable_gini_loss)).number
    chosen = next(point for point in points if point.trial == recommended)
    result: dict[str, Any] = {
        "study": experiment.study,
        "experiment": experiment.settings.experiment_name,
        "run_id": tracking.run_id,
        "candidate": experiment.candidate.family,
        "trials": len(trials),
        "model": experiment.settings.model,
        "data_fingerprint": experiment.applications.fingerprint,
        "attribute": fair.attribute,
        "approval_rate": objective.rate,
        "usual": _usual(trials),
        "most_accurate": points[0].version,
        "recommended": chosen.version,
        "front": [asdict(point) for point in points],
    }
    overrides = carried(experiment.settings)
    steps = [f"thinfile promote version={chosen.version}{overrides}", f"thinfile compare{overrides}"]
    return Outcome(result, summary=_summary(result, points, chosen, best_of(trials)), next_steps=steps)


def _usual(trials: list[TrialResult]) -> dict[str, Any]:
    """Return the most accurate trial with full use of all features: the result of a search without fairness."""
    in_full = [one for one in trials if all(one.parameters[use] == FULL_USE for use in one.parameters if is_use(use))]
    best = best_of(in_full or trials)
    return {"trial": best.number, "cv_gini": 2 * best.value - 1, "cv_gap": best.second}


def _summary(result: dict[str, Any], points: list[FairPoint], chosen: FairPoint, best: TrialResult) -> list[Any]:
    gap = result["usual"]["cv_gap"]
    lost, closed = 2 * best.value - 1 - chosen.cv_gini, gap - chosen.cv_gap
    return [
        f"{result['candidate']}: {result['trials']} trials compared by {result['attribute']}, all approving "
        f"{result['approval_rate']:.1%}; {len(points)} points of the front are registered as {result['model']}",
        as_table(points, chosen),
        f"recommended: version {chosen.version}, the least discriminatory with a comparable Gini; in the search it "
        f"loses {lost:.3f} of Gini and closes the gap in approval rates by {closed:.1%}, from {gap:.1%} of the most "
        "accurate model with all features",
        *(f"  version {one.version} {_changes(one)}" for one in points),
    ]


def _changes(point: FairPoint) -> str:
    changes = [f"drops {', '.join(point.dropped)}"] if point.dropped else []
    changes += [f"relies {share:.0%} less on {names}" for names, share in point.weakened.items()]
    return "; ".join(changes) or "uses all features"
