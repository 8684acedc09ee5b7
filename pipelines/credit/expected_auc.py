"""The AUC that a score will have, before any outcome is known: from the probabilities of default alone."""

from dataclasses import dataclass

import numpy as np

from pipelines.credit.arrays import Floats


@dataclass(frozen=True)
class ExpectedAuc:
    """The mean and the standard deviation of the AUC over the outcomes that the probabilities allow."""

    value: float
    deviation: float


def expected_auc(probability: Floats, score: Floats, rows: Floats | None = None) -> ExpectedAuc:
    """Return what the AUC of a score is on average when application i goes bad with `probability[i]`, independently.

    With c_ij = 1 where i scores above j (1/2 where alike), the AUC is N / D: N = sum over i != j of y_i (1 - y_j) c_ij,
    D the same without c. Their means are sums over pairs, taken on the sorted scores in O(n log n); A = E N / E D. As
    c_ij + c_ji = 1, the second-order parts of N and D are constants, so with v = p (1 - p), the slopes h_i and d_i of
    E N and E D in p_i, and V = sum over i < j of v_i v_j,

        Var(N - A D) = sum v (h - A d)^2 + (2 A - 1)^2 V,    Cov(N - A D, D) = sum v (h - A d) d - 2 (2 A - 1) V

    are exact. The mean of the ratio is A - Cov / (E D)^2 and its variance Var / (E D)^2, but for terms of a higher
    order in 1 / n (the delta method; A alone is confidence-based performance estimation as in NannyML).
    All of shape (n,); NaN where no pair of a good and a bad application can be. `rows` counts applications that are
    alike, by default one each.

    >>> expected_auc(np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.9, 0.1])).value  # certain outcomes: the AUC itself
    0.75
    """
    p, q = probability, 1 - probability
    n = np.ones(len(p)) if rows is None else rows
    bads, goods = float(n @ p), float(n @ q)
    below_p, tied_p = _sums_below(score, n * p)
    below_q, tied_q = _sums_below(score, n * q)
    wins = below_q + (tied_q - q) / 2  # of i, were it bad, over the good expected among the others
    losses = bads - below_p - tied_p + (tied_p - p) / 2  # of i, were it good, to the bad expected among the others
    pairs = bads * goods - float(n @ (p * q))
    if pairs <= 0:
        return ExpectedAuc(float("nan"), float("nan"))
    ratio = float(n @ (p * wins)) / pairs
    to_pairs = (goods - q) - (bads - p)
    variances = p * q
    excess = (wins - losses) - ratio * to_pairs
    couples = (float(n @ variances) ** 2 - float(n @ variances**2)) / 2
    lean = 2 * ratio - 1
    covariance = float(n @ (variances * excess * to_pairs)) - 2 * lean * couples
    variance = float(n @ (variances * excess**2)) + lean**2 * couples
    value = min(max(ratio - covariance / pairs**2, 0.0), 1.0)
    return ExpectedAuc(value, float(np.sqrt(variance)) / pairs)


def _sums_below(score: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return for each row the summed weight of the rows that score below it, and of those that score as it does."""
    _, index = np.unique(score, return_inverse=True)
    sums = np.bincount(index, weights=weight).astype(np.float64)
    return (sums.cumsum() - sums)[index], sums[index]
