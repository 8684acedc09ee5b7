"""Shapley values of a tree's leaf: of an outcome that needs several conditions to be met."""

from functools import cache, reduce

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def shares_of_conditions(is_met: NDArray[np.bool_], expected: Floats) -> Floats:
    """Return the Shapley value of each of m conditions for n rows, shape (m, n), of an outcome that needs all of them.

    Of a coalition the known conditions count as they are met, shape (m, n), the others as `expected`, shape (m,). The
    weights of coalitions are Beta integrals, so that condition k gets

        (met_k - expected_k) times the integral from 0 to 1 of prod_{j != k} (t met_j + (1 - t) expected_j) dt,

    a polynomial that Gauss-Legendre quadrature integrates exactly; no term is negative, so nothing cancels.
    """
    conditions, rows = is_met.shape
    if 2**conditions < rows:  # few patterns, many rows
        bits = np.arange(conditions)[:, None]
        pattern = np.left_shift(is_met, bits).sum(axis=0)
        every = (np.arange(2**conditions) >> bits & 1).astype(bool)
        return shares_of_conditions(every, expected)[:, pattern]
    unknown = expected[:, None]
    total = np.zeros(is_met.shape)
    for t, weight in zip(*quadrature((conditions + 1) // 2), strict=True):
        factors = t * is_met + (1 - t) * unknown
        total += weight * reduce(np.multiply, factors) / factors  # in the order of the conditions, whatever the rows
    return (is_met - unknown) * total


@cache
def quadrature(nodes: int) -> tuple[list[float], list[float]]:
    """Return points and weights that integrate polynomials of degree 2 nodes - 1 from 0 to 1."""
    points, weights = np.polynomial.legendre.leggauss(max(nodes, 1))
    return ((points + 1) / 2).tolist(), (weights / 2).tolist()
