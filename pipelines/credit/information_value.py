"""How much the bins of a feature say about the outcome: weights of evidence, and the information value."""

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.arrays import Counts
from pipelines.credit.stability import population_stability_index, shares


def weights_of_evidence(good: Counts, bad: Counts) -> NDArray[np.float64]:
    """Return the weight of evidence of each bin: the logarithm of its share of the bad over its share of the good.

    Above 0 the bin is riskier than all applications together. Counts have shape (bins,); half a count is added to each
    bin, so that one without an outcome of a kind has a finite weight. Siddiqi, Credit Risk Scorecards (2006), chapter
    6, has the opposite sign.

    >>> weights_of_evidence(np.array([90, 10]), np.array([10, 10])).round(2).tolist()
    [-0.58, 1.57]
    """
    return np.asarray(np.log(shares(bad) / shares(good)))


def information_value(good: Counts, bad: Counts) -> float:
    """Return the information value: the sum over bins of the difference of the shares times the weight of evidence.

    It is the PSI between the good and the bad applications. Siddiqi (2006), chapter 6: below 0.02 a feature is not
    predictive, from 0.1 medium, from 0.3 strong, and above 0.5 suspicious.

    >>> round(information_value(np.array([90, 10]), np.array([10, 10])), 3)
    0.853
    """
    return population_stability_index(good, bad)
