"""What is measured about each feature of a version: information, stability, gaps, direction, correlation and effect."""

import math
from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.evidence.correlations import rank_correlations, strongest_of
from experiments.evidence.evaluation_set import ScoredVersion
from experiments.evidence.feature_bins import FeatureBins, bins_of, bins_of_scorecard
from experiments.evidence.feature_effects import direction_of, importance, partial_effects, values_of_bins
from experiments.evidence.single_feature import single_feature_auc
from pipelines.applications.applications import Applications
from pipelines.candidates.families.scorecard import Scorecard
from pipelines.candidates.portable_model import Model
from pipelines.credit.discrimination import auc
from pipelines.credit.information_value import information_value, weights_of_evidence
from pipelines.credit.points import PointsScale
from pipelines.credit.rates import z_of
from pipelines.credit.stability import noise_limit, population_stability_index
from pipelines.model_store.predictor import Predictor

NOISE_LEVEL = 0.01
CONFIDENCE = 0.95

POINTS, MEAN_PD = "points", "mean PD"
"""What the effect of a feature is measured by."""

RANGE = (0.01, 0.99)
"""Quantiles between which a feature was learnt from enough applications."""

MOST_EFFECTS = 40
"""Features, the most important first, whose partial effect is measured."""

MOST_CORRELATED = 30
"""Features, the most important first, in the matrix of correlations."""


def feature_measures(
    scored: ScoredVersion, development: Applications, test: Applications, scale: PointsScale, *, seed: int
) -> dict[str, Any]:
    """Return the measures of the features of a version, the most important first, as JSON values.

    `development` and `test` are the parts as the version reads them. Bins are those of a scorecard, with the points of
    each; other models have quantiles and frequent levels of the development part, and the mean PD in each bin as the
    feature moves and the others stay.
    """
    predictor, names, numeric = scored.predictor, scored.features, set(scored.predictor.numeric)
    own, factor = _own_bins(predictor, scale)
    bins = {
        name: own.get(name) or bins_of(name, _values(development, name), is_number=name in numeric) for name in names
    }
    measured_by, sizes = importance(predictor, test.features, test.outcomes, seed=seed)
    ranked = sorted(names, key=lambda name: (-sizes[name], name))
    aucs = single_feature_auc(development, test, names)
    moved = {name: values_of_bins(bins[name], _values(development, name)) for name in ranked[:MOST_EFFECTS] if not own}
    effects = partial_effects(predictor, test.features, moved, seed=seed)
    correlations = rank_correlations(development, ranked, predictor.numeric, seed=seed)
    features = [
        {"feature": name, "importance": _rounded(sizes[name]), "gini": _rounded(2 * aucs[name] - 1)}
        | _measured(name, development, test, bins[name], *_effects(bins[name], effects.get(name), factor))
        | {"strongest_correlation": strongest_of(correlations, ranked, place)}
        for place, name in enumerate(ranked)
    ]
    inside = correlations[:MOST_CORRELATED, :MOST_CORRELATED].round(3).tolist()
    matrix = {"features": ranked[:MOST_CORRELATED], "values": inside}
    return {"importance_is": measured_by, "features": features, "correlations": matrix}


def _own_bins(predictor: Predictor, scale: PointsScale) -> tuple[dict[str, FeatureBins], float]:
    """Return the bins of a scorecard with the points per unit of its log-odds; no bins for other models."""
    model = getattr(predictor, "model", None)  # a model of another tool has none
    if not isinstance(model, Model) or not isinstance(model.scorer, Scorecard):
        return {}, 0.0
    return bins_of_scorecard(model.scorer), scale.factor * float(model.card["calibration"].get("slope", 1.0))


def _measured(
    name: str,
    development: Applications,
    test: Applications,
    bins: FeatureBins,
    effect: str | None,
    effects: Sequence[float | None],
) -> dict[str, Any]:
    """Return what the bins of a feature show: information value, PSI, gaps, direction, and each bin with its effect."""
    learnt, tested = _values(development, name), _values(test, name)
    bad = development.outcomes == 1
    goods, bads, seen = bins.count(learnt[~bad]), bins.count(learnt[bad]), bins.count(tested)
    rows, is_number = goods + bads, bins.binning.edges is not None
    weights = bins.weights or weights_of_evidence(goods, bads).tolist()
    filled = int(((rows + seen) > 0).sum())
    return {
        "kind": "numeric" if is_number else "categorical",
        "information_value": _rounded(information_value(goods, bads)),
        "psi": _rounded(population_stability_index(rows, seen)),
        "psi_noise": _rounded(noise_limit(len(learnt), len(tested), filled, level=NOISE_LEVEL)),
        "missing": {"development": _missing(learnt, is_number), "test": _missing(tested, is_number)},
        "range": _range(learnt) if is_number else None,
        "direction_in_data": _direction_in_data(learnt, development.outcomes) if is_number else None,
        "direction_in_model": _direction_in_model(effect, effects) if is_number else None,
        "effect": effect,
        "bins": [
            {
                "bin": label,
                "rows": int(rows[code]),
                "bad": int(bads[code]),
                "weight_of_evidence": _rounded(float(weights[code])),
                "test_rows": int(seen[code]),
                "points": _rounded(effects[code]) if effect == POINTS else None,
                "mean_pd": _rounded(effects[code]) if effect == MEAN_PD else None,
            }
            for code, label in enumerate(bins.labels)
            if rows[code] or seen[code]
        ],
    }


def _effects(
    bins: FeatureBins, mean_pd: Sequence[float | None] | None, factor: float
) -> tuple[str | None, Sequence[float | None]]:
    """Return what the effect of a feature is measured by, and its effect in each bin."""
    if bins.coefficient is not None and bins.weights is not None:
        return POINTS, [-factor * bins.coefficient * weight for weight in bins.weights]
    return (None, [None] * len(bins.labels)) if mean_pd is None else (MEAN_PD, mean_pd)


def _direction_in_model(effect: str | None, effects: Sequence[float | None]) -> str | None:
    """Return in which direction risk moves over the bins of numbers, from the second on."""
    if effect is None:
        return None
    sign = -1.0 if effect == POINTS else 1.0
    return direction_of([None if one is None else sign * one for one in effects[1:]])


def _direction_in_data(values: NDArray[np.float64], bad: NDArray[np.int8]) -> str:
    """Return whether the bad have larger or smaller numbers than the good; `none` where chance alone may do so.

    The rank sum test of Mann and Whitney (1947) at 5%.
    """
    present = ~np.isnan(values)
    bads, goods = (int((bad[present] == outcome).sum()) for outcome in (1, 0))
    if not bads or not goods:
        return "none"
    gap = auc(bad[present], values[present]) - 0.5
    if abs(gap) <= z_of(CONFIDENCE) * math.sqrt((bads + goods + 1) / (12 * bads * goods)):
        return "none"
    return "riskier" if gap > 0 else "safer"


def _values(applications: Applications, name: str) -> NDArray[Any]:
    values = applications.features[name]
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(np.float64, na_value=np.nan)
    return values.astype(object).where(values.notna(), None).to_numpy()


def _missing(values: NDArray[Any], is_number: bool) -> float:
    gaps = np.isnan(values) if is_number else np.array([value is None for value in values], bool)
    return _rounded(float(gaps.mean())) if len(values) else 0.0


def _range(values: NDArray[np.float64]) -> list[float] | None:
    """Return the range in which all but the lowest and the highest 1% lie."""
    present = values[~np.isnan(values)]
    return np.quantile(present, RANGE, method="inverted_cdf").tolist() if len(present) else None


@overload
def _rounded(value: float) -> float: ...


@overload
def _rounded(value: None) -> None: ...


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}") + 0.0
