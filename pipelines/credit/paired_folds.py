"""Differences between two candidates that were fitted and scored on the same folds."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign, inf, sqrt
from statistics import fmean, variance

CONFIDENCE = 0.95


@dataclass(frozen=True)
class PairedDifference:
    """The mean of differences over folds, its interval, and the p-value against "there is no difference"."""

    value: float
    low: float
    high: float
    p_value: float


def paired_difference(
    differences: Sequence[float], held_out_to_fit: float, *, confidence: float = CONFIDENCE
) -> PairedDifference:
    """Return the mean of paired differences, one per fold, with its two-sided interval by the corrected resampled t.

    Folds share most of the rows that they fit on, so their differences vary less than those of new samples would.
    Nadeau and Bengio (2003) add `held_out_to_fit`, the rows that a fold holds out per row that it fits on, to the 1/k
    of the variance of a mean over k folds; the t distribution has k - 1 degrees of freedom. Folds of several divisions
    of the same rows count as so many more.

    Raises:
        ValueError: fewer than two folds.

    >>> one = paired_difference([0.01, 0.02, 0.03], 0.5)
    >>> [round(end, 4) for end in (one.low, one.value, one.high)]  # 0.02 -+ 4.3027 * 0.01 * sqrt(1/3 + 0.5)
    [-0.0193, 0.02, 0.0593]
    """
    from scipy.special import stdtr, stdtrit

    if len(differences) < 2:
        raise ValueError(f"an interval over folds needs at least 2 of them, received {len(differences)}")
    mean, freedom = fmean(differences), len(differences) - 1
    error = sqrt((1 / len(differences) + held_out_to_fit) * variance(differences))
    reach = float(stdtrit(freedom, 0.5 + confidence / 2)) * error
    statistic = mean / error if error else copysign(inf, mean) if mean else 0.0
    return PairedDifference(mean, mean - reach, mean + reach, float(2 * stdtr(freedom, -abs(statistic))))
