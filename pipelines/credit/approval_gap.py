"""Approval rates by group, and their largest difference, when a given share of all applications is approved."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.arrays import Floats


def approved_at_rate(risk: Floats, rate: float) -> Floats:
    """Return whether each application is among the `rate` safest, shape (n,), 0 or 1.

    Those tied at the cut-off are approved in part, so that the rate is met exactly and their order decides nothing.

    >>> approved_at_rate(np.array([0.1, 0.2, 0.2, 0.4]), 0.5).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    approved_rows = rate * len(risk)
    cut = np.sort(risk)[min(int(approved_rows), len(risk) - 1)]
    below, tied = risk < cut, risk == cut
    return np.asarray(below + tied * (approved_rows - below.sum()) / tied.sum())


def approval_rates(approved: Floats, groups: NDArray[Any], *, minimum: int) -> dict[str, float]:
    """Return the approval rate of each group of at least `minimum` applications; None belongs to no group."""
    levels = sorted({str(one) for one in groups if one is not None})
    by_level = {level: approved[groups == level] for level in levels}
    return {level: float(rows.mean()) for level, rows in by_level.items() if len(rows) >= minimum}


def widest_gap(rates: Mapping[str, float]) -> float:
    """Return the largest difference between two groups.

    >>> round(widest_gap({"a": 0.8, "b": 0.75, "c": 0.6}), 2)
    0.2
    """
    return max(rates.values()) - min(rates.values())
