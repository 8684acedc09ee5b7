"""Tests whether the score moves with each feature in the expected direction."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.evidence.evaluation_set import ScoredVersion
from pipelines.applications.applications import Applications

ROWS, STEPS = 400, 9
TOLERANCE = 1e-9
"""Steps of the log-odds up to this size are rounding."""

SIGNS = {"riskier": 1.0, "safer": -1.0}


def monotonicity(
    scored: ScoredVersion, test: Applications, features: Sequence[Mapping[str, Any]], seed: int
) -> list[Any]:
    """Return, for each feature with an expected direction, how often the score moves the other way.

    Up to 400 sampled applications are scored with the feature at the deciles of the test part, all else unchanged
    (Goldstein and others, 2015, individual conditional expectation). `share_violating` is the share of applications
    with a step the wrong way; `largest` is the largest such step in log-odds.
    """
    directions = {one["name"]: one["direction"] for one in features if one["direction"] in SIGNS}
    rows = np.random.default_rng(seed).permutation(len(test))[:ROWS]
    sample = scored.read(test.take(np.sort(rows)))
    return [_one(scored, sample, name, directions[name]) for name in scored.predictor.numeric if name in directions]


def _one(scored: ScoredVersion, sample: Applications, feature: str, direction: str) -> dict[str, Any]:
    values = sample.features[feature].to_numpy(np.float64)
    present = values[~np.isnan(values)]
    grid = np.unique(np.quantile(present, np.linspace(0.1, 0.9, STEPS))) if len(present) else np.empty(0)
    if len(grid) < 2:
        return {"feature": feature, "expected": direction, "share_violating": 0.0, "largest": 0.0}
    copies = sample.take(np.tile(np.arange(len(sample)), len(grid)))
    copies.features[feature] = np.repeat(grid, len(sample))
    log_odds = scored.predictor.log_odds(copies.features).reshape(len(grid), len(sample))
    wrong = np.maximum(-SIGNS[direction] * np.diff(log_odds, axis=0), 0.0).max(axis=0)
    return {
        "feature": feature,
        "expected": direction,
        "share_violating": float(np.mean(wrong > TOLERANCE)),
        "largest": float(wrong.max()),
    }
