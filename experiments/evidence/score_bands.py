"""The test part and all applicants by score band: counts, bad rates and PDs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.points import band_labels, points
from pipelines.credit.rates import wilson_interval
from pipelines.policy.pack import PolicySettings

CONFIDENCE = 0.95

Floats = NDArray[np.float64]


def score_bands(
    bad: NDArray[np.int8], probability: Floats, everyone: Floats, policy: PolicySettings
) -> list[dict[str, Any]]:
    """Return each band of the policy, from the lowest: the test part with its outcomes, and all applicants.

    `bad` and `probability` have shape (n,), `everyone` shape (m,). `low` and `high` are the ends of Wilson's interval
    of the bad rate; a band without applications has no rates.
    """
    labels = band_labels(policy.bands, policy.scale)
    tested, applied = (np.searchsorted(policy.bands, points(one, policy.scale), side="right") for one in
                       (probability, everyone))  # fmt: skip
    asked = np.bincount(applied, minlength=len(labels)).tolist()
    return [
        {"band": label, "applicants": asked[band], "share": asked[band] / max(len(everyone), 1)}
        | _outcomes(bad[tested == band], probability[tested == band])
        for band, label in enumerate(labels)
    ]


def _outcomes(bad: NDArray[np.int8], probability: Floats) -> dict[str, Any]:
    rows, bads = len(bad), int(bad.sum())
    if not rows:
        return {"rows": 0, "bad": 0, "bad_rate": None, "low": None, "high": None, "mean_pd": None}
    low, high = wilson_interval(bads, rows, CONFIDENCE)
    rates = {"bad_rate": bads / rows, "low": low, "high": high, "mean_pd": float(probability.mean())}
    return {"rows": rows, "bad": bads} | rates
