"""Permutation importance: how much lower the test AUC of a model is when the values of a feature are shuffled."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.compare.study_page.search_facts import Record
from pipelines.candidates.portable_model import Columns
from pipelines.credit.arrays import Outcomes
from pipelines.credit.discrimination import AucDifference, delong_difference
from pipelines.model_store.predictor import Predictor
from pipelines.reading.special import code_column

CONFIDENCE = 0.95
MOST_SCORED = 1_500_000
"""About so many rows are scored in all, so that the time does not grow with the table."""

FEWEST_SAMPLED, MOST_REPEATS = 5_000, 10
SEED = 0


def permutation_importance(predictor: Predictor, columns: Columns, bad: Outcomes) -> Record:
    """Return the loss of AUC on rows that the model was not fitted on, by feature, largest first.

    Breiman (2001). A number and its special codes are shuffled together. The interval is DeLong's for the difference of
    two scores on the same rows, averaged over the repeats; a feature that the model does not use loses exactly 0.
    """
    features = _features(predictor)
    rows = _sample(bad, max(MOST_SCORED // len(features), FEWEST_SAMPLED))
    own = {name: columns[name][rows] for names in features for name in names}
    repeats = int(np.clip(MOST_SCORED // (len(features) * len(rows)), 1, MOST_REPEATS))
    generator, usual = np.random.default_rng(SEED), predictor.predict(own)[0]
    orders = [generator.permutation(len(rows)) for _ in range(repeats)]
    losses = []
    for names in features:
        shuffled = [predictor.predict(own | {name: own[name][order] for name in names})[0] for order in orders]
        losses.append(_loss(names[0], bad[rows], usual, shuffled))
    ranked = sorted(losses, key=lambda one: -one["loss"])
    return {"features": ranked, "rows": len(rows), "of": len(bad), "repeats": repeats}


def _loss(
    name: str, bad: Outcomes, usual: NDArray[np.float64], shuffled: Sequence[NDArray[np.float64]]
) -> dict[str, Any]:
    differences = [_difference(bad, usual, one) for one in shuffled]
    return {
        "feature": name,
        "loss": fmean(one.difference for one in differences),
        "low": fmean(one.low for one in differences),
        "high": fmean(one.high for one in differences),
    }


def _difference(bad: Outcomes, usual: NDArray[np.float64], shuffled: NDArray[np.float64]) -> AucDifference:
    if np.array_equal(usual, shuffled):
        return AucDifference(0.0, 0.0, 0.0, 0.0)
    return delong_difference(bad, usual, shuffled, confidence=CONFIDENCE)


def _features(predictor: Predictor) -> list[tuple[str, ...]]:
    """Return the columns of a model; a number comes with the category of its codes, where it has one."""
    names = [*predictor.numeric, *predictor.categorical]
    codes = {code_column(name) for name in predictor.numeric} & set(predictor.categorical)
    together = {name: (name, code) for name in predictor.numeric if (code := code_column(name)) in codes}
    return [together.get(name, (name,)) for name in names if name not in codes]


def _sample(bad: Outcomes, most: int) -> NDArray[np.intp]:
    """Return at most so many rows, drawn at random, with the share of bad ones of all."""
    if len(bad) <= most:
        return np.arange(len(bad))
    generator, share = np.random.default_rng(SEED), most / len(bad)
    parts = [np.flatnonzero(bad == outcome) for outcome in (0, 1)]
    drawn = [generator.choice(part, max(round(share * len(part)), 1), replace=False) for part in parts]
    return np.sort(np.concatenate(drawn))
