"""Registers a point of the front as a version, with its figures from the search and from the test part."""

import json
from dataclasses import asdict, dataclass, field

from experiments.experiment.feature_use import dropped, weakened, without_uses
from experiments.fair_search.fairness_objective import RATES, FairnessObjective, levels_of
from experiments.search.finalists import Finalist
from experiments.search.registration import register_finalist
from experiments.search.tracking import Tracking
from experiments.search.trial_result import TrialResult
from pipelines.credit.approval_gap import approval_rates, approved_at_rate, widest_gap
from pipelines.credit.rates import wilson_interval
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore

CONFIDENCE = 0.95

SEARCH, GAP, FAIR = "thinfile.search", "thinfile.gap", "thinfile.fair"
"""Tags of a version: the kind of search, the gap in the search, and the whole point as JSON."""


@dataclass(frozen=True)
class FairPoint:
    """One registered point of a front; `cv` figures are from the search, `test` figures from the test part.

    Gaps and rates are shares of applications, at the same overall approval rate; those of groups on the test part have
    Wilson's interval (value, low, high). `weakened` maps the features of a group to the share by which they are
    weakened.
    """

    version: int
    trial: int
    cv_gini: float
    cv_gap: float
    cv_rates: dict[str, float]
    test_gini: dict[str, float]
    test_gap: float | None
    test_rates: dict[str, dict[str, float]]
    dropped: list[str]
    weakened: dict[str, float]
    parameters: dict[str, float | int] = field(repr=False)


def register_point(tracking: Tracking, objective: FairnessObjective, trial: TrialResult) -> FairPoint:
    """Register a point of the front with its test figures; a repeated call returns the same version."""
    store, experiment = tracking.store, objective.experiment
    finalist = Finalist.of_trial(experiment, trial)
    model = register_finalist(tracking, experiment, finalist)
    if FAIR not in model.tags:
        point = _point(store, objective, trial, model)
        tags = {SEARCH: "fair", GAP: repr(point.cv_gap), FAIR: json.dumps(asdict(point))}
        store.tag(model, tags)
        return point
    return FairPoint(**json.loads(model.tags[FAIR]))


def _point(store: ModelStore, objective: FairnessObjective, trial: TrialResult, model: RegisteredModel) -> FairPoint:
    experiment = objective.experiment
    predictor = load_predictor(store, model, experiment.settings.policy.models)
    risk = predictor.probability_of_bad(experiment.applications.take(experiment.split.test).features)
    levels = levels_of(experiment, experiment.split.test)
    minimum = experiment.settings.policy.fairness.minimum_group
    rates = approval_rates(approved_at_rate(risk, objective.rate), levels, minimum=minimum)
    counts = {level: int((levels == level).sum()) for level in rates}
    assert trial.second is not None
    return FairPoint(
        version=model.version,
        trial=trial.number,
        cv_gini=2 * trial.value - 1,
        cv_gap=trial.second,
        cv_rates=dict(trial.notes[RATES]),
        test_gini=model.evaluation["measures"]["gini"],
        test_gap=widest_gap(rates) if len(rates) > 1 else None,
        test_rates={level: _estimate(rate, counts[level]) for level, rate in rates.items()},
        dropped=dropped(experiment.groups, trial.parameters),
        weakened={", ".join(group): share for group, share in weakened(experiment.groups, trial.parameters).items()},
        parameters=without_uses(trial.parameters),
    )


def _estimate(rate: float, rows: int) -> dict[str, float]:
    low, high = wilson_interval(rate * rows, rows, CONFIDENCE)
    return {"value": rate, "low": low, "high": high}
