"""Separates what searches differ in from what splits differ in: an additive model of AUC by search and split."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import t


@dataclass(frozen=True)
class SplitEffects:
    """`effects` is how much easier than the average each split is.

    `deviation` is what neither search nor split explains, with `freedom` degrees of freedom. `shared` is the variance
    of a mean that splits share, as in the corrected resampled t-test.
    """

    effects: Mapping[int, float]
    deviation: float
    freedom: int
    shared: float

    @classmethod
    def of(cls, auc: Mapping[tuple[str, int], float], shared: float) -> "SplitEffects":
        """Return the effects in a table of AUC by search and split; searches without all splits are left out."""
        splits = sorted({split for _, split in auc})
        names = [name for name in dict.fromkeys(name for name, _ in auc)
                 if all((name, split) in auc for split in splits)]  # fmt: skip
        table = np.array([[auc[name, split] for split in splits] for name in names])
        effects = table.mean(axis=0) - table.mean()
        residuals = table - table.mean(axis=1, keepdims=True) - effects
        freedom = (len(names) - 1) * (len(splits) - 1)
        deviation = math.sqrt(float((residuals**2).sum()) / freedom) if freedom else math.nan
        return cls(dict(zip(splits, map(float, effects), strict=True)), deviation, freedom, shared)

    def mean(self, auc: Mapping[int, float]) -> float:
        """Return a search's mean AUC on average splits, from those on which it was measured."""
        return float(np.mean([value - self.effects[split] for split, value in auc.items()]))

    def reach(self, splits: int) -> float:
        """Return half the width of the 95% interval of a mean over so many splits; NaN where there is none."""
        if not self.freedom:
            return math.nan
        return float(t.ppf(0.975, self.freedom)) * self.deviation * math.sqrt(1 / splits + self.shared)
