"""How features move the score of a model: importance, and the mean PD as one feature moves and the others stay."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.evidence.feature_bins import FeatureBins
from pipelines.credit.discrimination import auc
from pipelines.model_store.predictor import Predictor

CONTRIBUTION = "mean contribution in log-odds, sign left out"
PERMUTATION = "loss of AUC when its values are shuffled"

EXPLAINED_ROWS, SHUFFLED_ROWS, MOVED_ROWS = 500, 5_000, 200

Floats = NDArray[np.float64]


def importance(
    predictor: Predictor, features: pd.DataFrame, bad: NDArray[np.int8], *, seed: int
) -> tuple[str, dict[str, float]]:
    """Return what importance is measured by, and the importance of each feature of a model.

    It is the mean absolute contribution to the log-odds over sampled rows; for a model of another tool, which gives no
    contributions, the loss of AUC when the values of the feature are shuffled.
    """
    names = [*predictor.numeric, *predictor.categorical]
    explained = predictor.contributions(features.iloc[sampled(len(features), EXPLAINED_ROWS, seed)])
    if explained is not None:
        sizes = np.abs(explained[1]).mean(axis=0)
        return CONTRIBUTION, dict(zip(names, sizes.tolist(), strict=True))
    rows = sampled(len(features), SHUFFLED_ROWS, seed)
    judged, outcomes, generator = features.iloc[rows], bad[rows], np.random.default_rng(seed)
    if outcomes.min() == outcomes.max():
        return PERMUTATION, dict.fromkeys(names, 0.0)
    usual = auc(outcomes, predictor.probability_of_bad(judged))
    lost = {}
    for name in names:
        shuffled = judged.assign(**{name: judged[name].to_numpy()[generator.permutation(len(judged))]})
        lost[name] = usual - auc(outcomes, predictor.probability_of_bad(shuffled))
    return PERMUTATION, lost


def partial_effects(
    predictor: Predictor, features: pd.DataFrame, values: Mapping[str, Sequence[Any]], *, seed: int
) -> dict[str, list[float | None]]:
    """Return the mean PD over sampled rows as each feature takes each of its `values`, None for a value of None.

    Friedman (2001), section 8.2, partial dependence.
    """
    rows = features.iloc[sampled(len(features), MOVED_ROWS, seed)].reset_index(drop=True)
    return {name: _effects(predictor, rows, name, some) for name, some in values.items()}


def values_of_bins(bins: FeatureBins, values: NDArray[Any]) -> list[Any]:
    """Return a value for each bin to move a feature to: the median, or the most frequent level; an empty bin has none.

    Missing values are a `nan` for numbers and an empty text for levels.
    """
    places, is_number = bins.binning.place(values), bins.binning.edges is not None
    chosen: list[Any] = []
    for code in range(len(bins.labels)):
        inside = values[places == code]
        if not len(inside):
            chosen.append(None)
        elif code == 0:
            chosen.append(np.nan if is_number else "")
        elif is_number:
            chosen.append(float(np.quantile(inside, 0.5, method="inverted_cdf")))
        else:
            levels, counts = np.unique(inside.astype(str), return_counts=True)
            chosen.append(str(levels[np.argmax(counts)]))
    return chosen


def direction_of(effects: Sequence[float | None]) -> str:
    """Return how risk moves over a sequence of effects: `riskier`, `safer`, `both` ways, or `none`.

    >>> [direction_of(one) for one in ([0.1, 0.1, 0.2], [0.3, None, 0.1], [0.1, 0.3, 0.2], [0.1])]
    ['riskier', 'safer', 'both', 'none']
    """
    known = np.array([one for one in effects if one is not None])
    steps = np.diff(known)
    least = 1e-9 * max(float(np.abs(known).max(initial=0.0)), 1e-12)
    rises, falls = bool((steps > least).any()), bool((steps < -least).any())
    if rises and falls:
        return "both"
    return "riskier" if rises else "safer" if falls else "none"


def sampled(rows: int, most: int, seed: int) -> NDArray[np.intp]:
    """Return at most so many of the rows, in their order."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _effects(predictor: Predictor, rows: pd.DataFrame, name: str, values: Sequence[Any]) -> list[float | None]:
    """Return the mean PD for each value, all from one call of the model."""
    known = [value for value in values if value is not None]
    if not known:
        return [None] * len(values)
    moved = [None if value == "" else value for value in np.repeat(np.array(known, dtype=object), len(rows))]
    everyone = pd.concat([rows] * len(known), ignore_index=True)
    probability = predictor.probability_of_bad(everyone.assign(**{name: pd.Series(moved, dtype=rows[name].dtype)}))
    means = iter(probability.reshape(len(known), len(rows)).mean(axis=1).tolist())
    return [None if value is None else next(means) for value in values]
