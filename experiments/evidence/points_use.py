"""Measures how well the points scale carries a score: applications at its ends, and the ranking that rounding loses."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.discrimination import auc, delong_difference
from pipelines.credit.points import PointsScale, points

CONFIDENCE = 0.95


def use_of_points(
    bad: NDArray[np.int8], probability: NDArray[np.float64], everyone: NDArray[np.float64], scale: PointsScale
) -> dict[str, Any]:
    """Return the shares of applications at the ends of the scale, and the AUC that points lose, as JSON values.

    `bad` and `probability` are of the test part, shape (n,); `everyone` has the PDs of all applicants, shape (m,).
    `loss` is the AUC of the PD less that of the points, with its paired interval.
    """
    scores = points(everyone, scale)
    risk = -points(probability, scale).astype(np.float64)
    loss = delong_difference(bad, probability, risk, confidence=CONFIDENCE)
    return {
        "rows": len(scores),
        "at_lowest": int((scores == scale.lowest).sum()),
        "at_highest": int((scores == scale.highest).sum()),
        "auc_of_pd": auc(bad, probability),
        "auc_of_points": auc(bad, risk),
        "loss": {"value": loss.difference, "low": loss.low, "high": loss.high},
    }
