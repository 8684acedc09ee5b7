"""Log-likelihood ratios of bins."""

from typing import Any

import numpy as np


def bin_of(edges: list[float], values: Any) -> Any:
    """Return the bin of each number, closed on the right; 0 is missing."""
    numbers = np.asarray(values, dtype=np.float64)
    return np.where(np.isnan(numbers), 0, 1 + np.searchsorted(edges, numbers, side="left"))


def log_ratios(bins: Any, count: int, bad: Any, weights: Any, prior: float) -> list[float]:
    """Return the log of the odds of bad over the overall odds in each bin; `prior` rows at the bad rate are added."""
    rows, bads = np.bincount(bins, weights, count), np.bincount(bins, weights * bad, count)
    rate = bads.sum() / rows.sum()
    odds = (bads + prior * rate) / (rows - bads + prior * (1 - rate))
    ratios: list[float] = np.where(rows < rows.sum(), np.log(odds * (1 - rate) / rate), 0.0).tolist()
    return ratios
