"""How much the periods of a reference differ from one another beyond chance, and what that leaves to a new period."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, fdtri

from pipelines.credit.psi_noise import Counts, Floats, deviance, moments_without_drift

NEARLY_EXACT = 1e6
"""Degrees of freedom of a variance that is as good as known."""

HEAVY_TAIL = 1.0
"""Excess kurtosis that months are allowed: campaigns and holidays make them less regular than a normal distribution."""

TINY = 1e-300


@dataclass(frozen=True)
class Noise:
    """What a period without drift shows against the pooled reference; each of shape (cells,).

    (n m / (n + m)) PSI, nearly G, has mean `mean`, is `mean` + (F - 1) `stretch` in distribution, F with `upper` and
    `lower` degrees of freedom. `sampling` is the mean that sampling alone would leave. `between` is the variance of a
    bin's share from period to period beyond sampling, relative to p (1 - p): 1 / (a + 1) of a Dirichlet distribution of
    size a.
    """

    between: Floats
    sampling: Floats
    mean: Floats
    stretch: Floats
    upper: Floats
    lower: Floats

    def chance(self, statistic: Floats) -> Floats:
        """Return the probability that a period without drift has a G at least so large."""
        return np.asarray(fdtrc(self.upper, self.lower, np.maximum(1 + (statistic - self.mean) / self.stretch, 0)))

    def reach(self, chance: float) -> Floats:
        """Return the G that a period without drift exceeds with probability `chance`."""
        return np.asarray(self.mean + self.stretch * (fdtri(self.upper, self.lower, 1 - chance) - 1))


def noise_of(reference: Counts, current: Counts, columns: NDArray[np.intp]) -> Noise:
    """Return the noise of comparing `current`, shape (cells, bins), with periods, shape (cells, periods, bins).

    Each period is compared with all others, itself left out: a pool that held it would be nearer to it than to any new
    period. By how much those G exceed chance gives `between`, the variance of period to period (DerSimonian and Laird
    1986, on shares). The new period's G is then a sum of squares with variances s = 1/n + 1/N of sampling in every
    direction and c `between` in some, c = 1 + the sum of the squared weights of the pooled periods. Months that all
    move along one line have a longer tail than months in which each bin moves by itself; a chi-square shifted to the
    same three moments (Imhof 1961) allows for it, and an F in its place for `between` being known from few periods.

    `columns`, shape (cells,), numbers the column of each cell: segments of one column are taken to vary in as many
    directions. Of a single period the variation is unknown, and taken to be none.
    """
    pooled, rows = reference.sum(axis=1), current.sum(axis=-1)
    known = pooled.sum(axis=-1)
    mean, variance = moments_without_drift(pooled + current, rows / np.maximum(rows + known, 1))
    mean, half = np.maximum(mean, 1e-9), np.maximum(variance, 1e-9) / 2
    s = 1 / np.maximum(rows, 1) + 1 / np.maximum(known, 1)
    varied = _Variation.of(reference, mean, columns)
    c, along = varied.pooled_share, varied.directions
    total = c * mean * varied.between
    each = total / along
    first = s * mean + total
    second = s**2 * half + 2 * s * total + each * total
    third = s**3 * half**2 / mean + 3 * s**2 * total + 3 * s * each * total + each**2 * total
    upper = second**3 / third**2
    doubt = (c * mean / along) ** 2 * varied.error
    return Noise(
        between=varied.between,
        sampling=mean,
        mean=first / s,
        stretch=np.sqrt(upper * second) / s,
        upper=upper,
        lower=np.minimum(2 * (s + each) ** 2 / np.maximum(doubt, TINY), NEARLY_EXACT),
    )


@dataclass(frozen=True)
class _Variation:
    """`between` with the variance of its estimate, and in how many directions the periods vary, each shape (cells,)."""

    between: Floats
    error: Floats
    directions: Floats
    pooled_share: Floats

    @classmethod
    def of(cls, reference: Counts, freedom: Floats, columns: NDArray[np.intp]) -> "_Variation":
        rows = reference.sum(axis=-1).astype(np.float64)
        known = np.maximum(rows.sum(axis=-1, keepdims=True), 1)
        pooled_share = 1 + ((rows / known) ** 2).sum(axis=-1)
        free = (rows > 0).sum(axis=-1) - 1
        if not free.any():
            return cls(np.zeros(len(rows)), np.zeros(len(rows)), freedom.clip(1), pooled_share)
        between, sampling = _between(reference, rows, known)
        total, square = _squares(reference, rows, known, free)
        alike = np.clip(total**2 / np.maximum(square, TINY), 1, freedom.clip(1))
        error = (2 + HEAVY_TAIL) * (sampling + between) ** 2 / (free.clip(1) * alike) * (free > 0)
        own = freedom * between
        beyond = square - 2 * sampling * own - freedom * sampling**2
        directions = _directions(own**2 - freedom**2 * error, beyond, (sampling + between) ** 2, freedom, columns)
        return cls(between, error * np.sqrt(alike), directions, pooled_share)


def _between(reference: Counts, rows: Floats, known: Floats) -> tuple[Floats, Floats]:
    """Return the variance from period to period, and a period's sampling variance, shape (cells,), both relative."""
    pooled = reference.sum(axis=1, keepdims=True)
    rest = known - rows
    found = deviance(reference, pooled - reference)
    chance, _ = moments_without_drift(np.broadcast_to(pooled, reference.shape), rows / known)
    squares = (rows**2).sum(axis=-1, keepdims=True) - rows**2
    weight = chance * (rows * rest / known) * (1 + squares / np.maximum(rest, 1) ** 2)
    between = (found - chance).sum(axis=-1) / np.maximum(weight.sum(axis=-1), TINY)
    filled = rows > 0
    sampling = (filled / np.maximum(rows, 1)).sum(axis=-1) / np.maximum(filled.sum(axis=-1), 1)
    return np.maximum(between, 0.0), sampling


def _squares(reference: Counts, rows: Floats, known: Floats, free: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the trace of the periods' covariance and an unbiased trace of its square, shape (cells,)."""
    share = (reference.sum(axis=1) / known)[:, None, :]
    away = reference / np.maximum(rows, 1)[..., None] - share
    away = np.divide(away, np.sqrt(share), out=np.zeros_like(away), where=share > 0) * (rows > 0)[..., None]
    products = away @ away.transpose(0, 2, 1) / free.clip(1)[:, None, None]
    total, square = np.trace(products, axis1=1, axis2=2), (products**2).sum(axis=(1, 2))
    unbiased = free**2 / ((free - 1).clip(1) * (free + 2)) * (square - total**2 / free.clip(1))
    return total, np.where(free > 1, unbiased, total**2)


def _directions(own: Floats, beyond: Floats, scale: Floats, freedom: Floats, columns: NDArray[np.intp]) -> Floats:
    """Return in how many equal directions the periods vary: squared trace over the trace of the square, by column."""
    squared_trace, trace_of_square = (np.bincount(columns, part / scale)[columns] for part in (own, beyond))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(trace_of_square > 0, squared_trace / trace_of_square, freedom)
    return np.clip(np.where(squared_trace > 0, found, freedom), 1, freedom.clip(1))
