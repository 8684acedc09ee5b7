"""Rank correlations between features, each category replaced by the bad rate of its levels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.applications.applications import Applications
from pipelines.credit.discrimination import mid_ranks

MOST_ROWS = 20_000

Floats = NDArray[np.float64]


def rank_correlations(applications: Applications, names: Sequence[str], numeric: Sequence[str], *, seed: int) -> Floats:
    """Return Spearman's rank correlations of features, shape (features, features), on at most 20,000 applications.

    Missing numbers have the middle rank, so that they neither add to a correlation nor hide it. A feature with one
    value only is correlated with none.
    """
    rows = np.arange(len(applications))
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))
    bad, numbers = applications.outcomes[rows], set(numeric)
    ranks = np.column_stack([_ranks(applications.features[name].iloc[rows], bad, name in numbers) for name in names])
    with np.errstate(divide="ignore", invalid="ignore"):
        correlations = np.atleast_2d(np.corrcoef(ranks, rowvar=False))
    correlations = np.where(np.isfinite(correlations), np.clip(correlations, -1.0, 1.0), 0.0)
    np.fill_diagonal(correlations, 1.0)
    return np.asarray(correlations)


def strongest_of(correlations: Floats, names: Sequence[str], feature: int) -> dict[str, Any] | None:
    """Return the other feature with the strongest correlation, None without another."""
    others = np.abs(correlations[feature])
    others[feature] = -1.0
    strongest = int(np.argmax(others))
    if strongest == feature:
        return None
    return {"feature": names[strongest], "value": round(float(correlations[feature, strongest]), 3)}


def _ranks(values: "pd.Series[Any]", bad: NDArray[np.int8], is_number: bool) -> Floats:
    if not is_number:
        rates = pd.Series(bad, index=values.index, dtype=np.float64).groupby(values, dropna=False).transform("mean")
        return mid_ranks(rates.to_numpy(np.float64))
    numbers = values.to_numpy(np.float64)
    gaps = np.isnan(numbers)
    ranks = np.full(len(numbers), 0.0)
    ranks[~gaps] = mid_ranks(numbers[~gaps])
    ranks[gaps] = ranks[~gaps].mean() if (~gaps).any() else 0.0
    return ranks
