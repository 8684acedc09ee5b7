"""The Hosmer-Lemeshow test: whether expected and observed default agree over groups of similar PDs."""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from pipelines.credit.arrays import Floats, Outcomes


@dataclass(frozen=True)
class HosmerLemeshow:
    """The statistic, its degrees of freedom and the chance of a larger one if the PDs are right."""

    statistic: float
    degrees: int
    p_value: float


def hosmer_lemeshow(
    bad: Outcomes, probability: Floats, *, groups: int = 10, fitted_on_these: bool = False
) -> HosmerLemeshow | None:
    """Return the test on groups of about equal size by ascending PD; None for fewer than two groups to tell apart.

    The statistic is the sum over groups of (O - E)^2 / (E (1 - E / n)), about chi-square (Hosmer and Lemeshow 1980):
    with as many degrees of freedom as groups on loans that the model was not fitted on, two fewer on those it was
    (Hosmer, Lemeshow and Sturdivant 2013, section 5.2.2). Loans of one PD share a group, so that the order of the rows
    does not matter. Its power grows with the rows: on a large book it refuses what no one would act on.
    """
    distinct, index, counts = np.unique(probability, return_inverse=True, return_counts=True)
    middle = counts.cumsum() - counts / 2
    group = np.minimum((middle * groups / len(bad)).astype(np.int64), groups - 1)[index]
    rows, observed, expected = (
        np.bincount(group, weights=one, minlength=groups) for one in (np.ones(len(bad)), bad, probability)
    )
    filled = (rows > 0) & (expected > 0) & (expected < rows)
    rows, observed, expected = rows[filled], observed[filled], expected[filled]
    degrees = len(rows) - 2 * fitted_on_these
    if len(distinct) < 2 or len(rows) < 2 or degrees < 1:
        return None
    statistic = float(np.sum((observed - expected) ** 2 / (expected * (1 - expected / rows))))
    return HosmerLemeshow(statistic, degrees, float(chdtrc(degrees, statistic)))
