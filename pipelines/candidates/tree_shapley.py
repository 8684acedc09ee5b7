"""Shapley values of a tree's leaf: of an outcome that needs several conditions to be met."""

from functools import cache, reduce

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Floats


def shares_of_conditions(is_met: NDArray[np.bool_], expected: Floats) -> Floats:
    """Return the Shapley value of each of m conditions, shape (m, n), of n outcomes that need all of theirs.

    Of a coalition the known conditions count as they are met, shape (m, n), the others as `expected`, which broadcasts
    to it. The weights of coalitions are Beta integrals, so that condition k gets

        (met_k - expected_k) times the integral from 0 to 1 of prod_{j != k} (t met_j + (1 - t) expected_j) dt,

    a polynomial that Gauss-Legendre quadrature integrates exactly; no term is negative, so nothing cancels.
    """
    total = np.zeros(is_met.shape)
    for t, weight in zip(*quadrature((len(is_met) + 1) // 2), strict=True):
        factors = t * is_met + (1 - t) * expected
        total += weight * reduce(np.multiply, factors) / factors  # in the order of the conditions
    return np.asarray((is_met - expected) * total)


def shares_of_patterns(expected: Floats) -> Floats:
    """Return the Shapley values of m conditions, shape (m, 2^m), for each pattern: bit k is whether k is met."""
    patterns = np.arange(2 ** len(expected)) >> np.arange(len(expected))[:, None] & 1
    return shares_of_conditions(patterns.astype(bool), expected[:, None])


@cache
def quadrature(nodes: int) -> tuple[list[float], list[float]]:
    """Return points and weights that integrate polynomials of degree 2 nodes - 1 from 0 to 1."""
    points, weights = np.polynomial.legendre.leggauss(max(nodes, 1))
    return ((points + 1) / 2).tolist(), (weights / 2).tolist()
