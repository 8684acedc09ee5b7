"""Measures how well one feature alone separates bad from good: values written after the outcome do too well."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.applications.applications import Applications
from pipelines.credit.discrimination import auc

MOST_CODES = 50
"""A number with at most so many distinct values may be a code, whose order has no meaning."""

SMOOTHING = 20
"""Rows at the overall bad rate that are added to each level."""


def single_feature_auc(development: Applications, test: Applications, names: Sequence[str]) -> dict[str, float]:
    """Return the AUC of each feature alone, in whichever direction, 0.5 or more.

    A number is ranked over all applications, missing ones below or above all others, whichever separates more. A
    category, and a number that may be a code, is replaced by the smoothed bad rate of its level in the development part
    and measured on the test part, so that a rare level has little effect.
    """
    return {name: max(0.5, *_aucs(development, test, name)) for name in names}


def _aucs(development: Applications, test: Applications, name: str) -> list[float]:
    fitted, judged = development.features[name], test.features[name]
    is_number = name in development.roles.numeric
    aucs = [_of_number(development, test, name)] if is_number else []
    if not is_number or fitted.nunique() <= MOST_CODES:
        aucs.append(auc(test.outcomes, _encoded(fitted, development.outcomes, judged)))
    return aucs


def _of_number(development: Applications, test: Applications, name: str) -> float:
    values = np.concatenate([part.features[name].to_numpy(np.float64) for part in (development, test)])
    bad = np.concatenate([development.outcomes, test.outcomes])
    gaps = np.isnan(values)
    filled = [np.where(gaps, end, values) for end in (-np.inf, np.inf)] if gaps.any() else [values]
    return max(0.5 + abs(auc(bad, one) - 0.5) for one in filled)


def _encoded(fitted: pd.Series, bad: NDArray[np.int8], judged: pd.Series) -> NDArray[np.float64]:
    """Return the smoothed bad rate of each row's level; the overall rate for an unknown level."""
    rate = float(bad.mean())
    by_level = pd.Series(bad, dtype=np.float64).groupby(fitted.to_numpy(), dropna=False).agg(["sum", "count"])
    rates = (by_level["sum"] + SMOOTHING * rate) / (by_level["count"] + SMOOTHING)
    codes = rates.index.get_indexer(pd.Index(judged.to_numpy()))
    return np.where(codes < 0, rate, rates.to_numpy()[codes])
