"""How much the periods of a reference differ from one another beyond chance, and what that leaves to a new period."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, fdtri

from pipelines.credit.arrays import Counts, Floats
from pipelines.credit.psi_noise import deviance, moments_without_drift

HEAVY_TAIL = 1.0
"""Excess kurtosis that months are allowed: campaigns and holidays make them less regular than a normal distribution."""

STEPS = 20
"""Of power iteration. Where two lines are as good, either serves, so long as each period had no say in its own."""

NEARLY_EXACT = 1e6
"""Degrees of freedom of a variance that is as good as known."""

BEND = 1.0
"""A season that tilts log odds follows a curve, not a line: having moved by a PSI of x along it, it is about
x^2 (kurtosis - 1 - skewness^2) / 4 off it, the moments those of the tilt over the rows. Five is allowed for."""

LEAST = 1e-9
TINY = 1e-300


@dataclass(frozen=True)
class Part:
    """One part of G, along the season's line or across it, and what it is without drift; each of shape (cells,).

    The part is about `mean` + (F - 1) `stretch`, F with `upper` and `lower` degrees of freedom. `between` is the
    variance of a bin's share from period to period beyond sampling, relative to p (1 - p) and in each of the part's
    directions: 1 / (a + 1) of a Dirichlet distribution of size a.
    """

    statistic: Floats
    between: Floats
    mean: Floats
    stretch: Floats
    upper: Floats
    lower: Floats

    def chance(self) -> Floats:
        """Return the probability that a period without drift has a part at least so large."""
        ratio = 1 + (self.statistic - self.mean) / self.stretch
        return np.asarray(fdtrc(self.upper, self.lower, np.maximum(ratio, 0)))

    def reach(self, chance: Floats) -> Floats:
        """Return the part that a period without drift exceeds with these probabilities."""
        return np.asarray(self.mean + self.stretch * (fdtri(self.upper, self.lower, 1 - chance) - 1))


@dataclass(frozen=True)
class Move:
    """A period's move from the pooled reference: G, its mean by sampling alone, and its parts; each of shape (cells,).

    `both` tells where there is a line and anything across it: two bins have but one direction, and a single period has
    no line. Elsewhere `along` is all.
    """

    statistic: Floats
    sampling: Floats
    along: Part
    across: Part
    both: NDArray[np.bool_]

    @property
    def chance(self) -> Floats:
        """The probability of a move so rare, along or across, without drift."""
        rarer = np.minimum(self.along.chance(), self.across.chance())
        return np.asarray(np.where(self.both, np.minimum(2 * rarer, 1), self.along.chance()))

    def reach(self, chance: Floats) -> Floats:
        """Return the G at which a move in the same direction has this probability without drift."""
        each = np.where(self.both, chance / 2, chance)
        along, across = (
            part.reach(each) / np.maximum(part.statistic, LEAST * part.mean) for part in (self.along, self.across)
        )
        times = np.where(self.both, np.minimum(along, across), along)
        return np.asarray(np.maximum(self.statistic, LEAST * self.sampling) * times)


def move_from(reference: Counts, current: Counts, columns: NDArray[np.intp]) -> Move:
    """Return the move of `current`, shape (cells, bins), from periods, shape (cells, periods, bins).

    Each period is compared with all others, itself left out: a pool that held it would be nearer to it than to any new
    period. By how much those G exceed chance gives the variance of period to period (DerSimonian and Laird 1986, on
    shares). Season moves periods along few lines and further than sampling, so G is split into the part along the line
    of most variation and the part across it, each with a variance of its own: a move that no month made before is
    found without being measured against what all months make. `columns`, shape (cells,), numbers the column of each
    cell: segments of a column share its line, and vary in as many directions. Of a single period the variation is
    unknown, and taken to be none.
    """
    pooled, rows = reference.sum(axis=1), current.sum(axis=-1)
    total = pooled.sum(axis=-1)
    mean, variance = moments_without_drift(pooled + current, rows / np.maximum(rows + total, 1))
    mean, variance = np.maximum(mean, LEAST), np.maximum(variance, LEAST)
    size = 1 / (1 / np.maximum(rows, 1) + 1 / np.maximum(total, 1))
    history = _History.of(reference, columns)
    statistic = deviance(current, pooled)
    both = (((pooled + current) > 0).sum(axis=-1) > 2) & (history.free > 0)
    split = _split(statistic, np.where(both, _on_line(_move(current, pooled), history.line), 1), size)
    one = np.where(both, np.minimum(1 / mean, 1), 1)
    parts = [
        _part(part, fraction * mean, fraction * variance, size, history, history.variation(side, columns))
        for side, (part, fraction) in enumerate(zip(split, (one, np.maximum(1 - one, LEAST)), strict=True))
    ]
    return Move(statistic, mean, parts[0], parts[1], both)


@dataclass(frozen=True)
class _Variation:
    """`between` with the variance of its estimate, and in how many directions, each of shape (cells,)."""

    between: Floats
    error: Floats
    directions: Floats


@dataclass(frozen=True)
class _History:
    """The reference's periods, each against all others: G, its mean by chance, its moves and how they lie."""

    rows: Floats
    statistic: Floats
    mean: Floats
    moves: Floats
    lines: Floats
    line: Floats

    @classmethod
    def of(cls, reference: Counts, columns: NDArray[np.intp]) -> "_History":
        rows = reference.sum(axis=-1).astype(np.float64)
        pooled = reference.sum(axis=1, keepdims=True)
        total = np.maximum(rows.sum(axis=-1, keepdims=True), 1)
        mean, _ = moments_without_drift(np.broadcast_to(pooled, reference.shape), rows / total)
        moves = moves_of(reference)
        lines, line = season_lines(moves, rows, columns)
        return cls(rows, deviance(reference, pooled - reference), mean, moves, lines, line)

    @property
    def known(self) -> Floats:
        """Rows of all periods, shape (cells,)."""
        return np.asarray(np.maximum(self.rows.sum(axis=-1), 1))

    @property
    def free(self) -> NDArray[np.intp]:
        """How many periods there are beyond the first, shape (cells,)."""
        return np.asarray((self.rows > 0).sum(axis=-1) - 1).clip(0)

    @property
    def pooled_share(self) -> Floats:
        """The variance of a new period less the pool, in variances of a period, shape (cells,)."""
        return np.asarray(1 + ((self.rows / self.known[:, None]) ** 2).sum(axis=-1))

    def variation(self, side: int, columns: NDArray[np.intp]) -> _Variation:
        """Return the variation along (side 0) or across (side 1) the lines."""
        on_line = (self.moves * self.lines).sum(axis=-1, keepdims=True) * self.lines
        moves = self.moves - on_line if side else on_line
        rest = self.known[:, None] - self.rows
        statistic = _split(self.statistic, _on_line(self.moves, self.lines), self.rows * rest / self.known[:, None])[
            side
        ]
        one = np.minimum(1 / np.maximum(self.mean, LEAST), 1)
        chance = ((1 - one) if side else one) * self.mean
        freedom = np.maximum(chance.max(axis=-1), LEAST)
        between, sampling = self._between(statistic, chance)
        if not side:
            error = (2 + HEAVY_TAIL) * (sampling + between) ** 2 / self.free.clip(1) * (self.free > 0)
            return _Variation(between, error, np.minimum(freedom, 1))
        total, square = _squares(moves, self.free)
        alike = np.clip(total**2 / np.maximum(square, TINY), 1, freedom.clip(1))
        error = (2 + HEAVY_TAIL) * (sampling + between) ** 2 / (self.free.clip(1) * alike) * (self.free > 0)
        own = freedom * between
        beyond = square - 2 * sampling * own - freedom * sampling**2
        directions = _directions(own**2 - freedom**2 * error, beyond, (sampling + between) ** 2, freedom, columns)
        return _Variation(between, error * np.sqrt(alike), directions)

    def _between(self, statistic: Floats, chance: Floats) -> tuple[Floats, Floats]:
        """Return the variance from period to period, and a period's sampling variance, shape (cells,), both relative.

        The mean of the statistics is chance times 1 + (the pair's harmonic size) (1 + squared weights) `between`.
        """
        rows, rest = self.rows, self.known[:, None] - self.rows
        squares = (rows**2).sum(axis=-1, keepdims=True) - rows**2
        weight = chance * (rows * rest / self.known[:, None]) * (1 + squares / np.maximum(rest, 1) ** 2)
        between = (statistic - chance).sum(axis=-1) / np.maximum(weight.sum(axis=-1), LEAST)
        filled = rows > 0
        sampling = (filled / np.maximum(rows, 1)).sum(axis=-1) / np.maximum(filled.sum(axis=-1), 1)
        return np.maximum(between, 0.0), sampling


def _part(
    statistic: Floats, mean: Floats, variance: Floats, size: Floats, history: _History, varied: _Variation
) -> Part:
    """Return a part of G as a sum of squares: of sampling in all its directions, of season in some.

    A chi-square shifted to the sum's first three moments (Imhof 1961), and an F in its place for `between` being known
    from few periods (Satterthwaite 1946).
    """
    total = size * history.pooled_share * mean * varied.between
    each = total / np.maximum(varied.directions, LEAST)
    half = variance / 2
    second = half + 2 * total + each * total
    third = half**2 / mean + 3 * total + 3 * each * total + each**2 * total
    upper = second**3 / third**2
    doubt = (each / np.maximum(varied.between, TINY)) ** 2 * varied.error
    lower = np.minimum(2 * (1 + each) ** 2 / np.maximum(doubt, TINY), NEARLY_EXACT)
    return Part(statistic, varied.between, mean + total, np.sqrt(upper * second), upper, lower)


def _move(current: Counts, pooled: Counts) -> Floats:
    share = pooled / np.maximum(pooled.sum(axis=-1, keepdims=True), 1)
    away = current / np.maximum(current.sum(axis=-1, keepdims=True), 1) - share
    floor = 0.5 / np.maximum(pooled.sum(axis=-1, keepdims=True), 1)
    return np.asarray(away / np.sqrt(np.maximum(share, floor)))


def _split(statistic: Floats, on_line: Floats, size: Floats) -> tuple[Floats, Floats]:
    """Return G along the line, and G across it beyond what the line's bend explains; `size` is nm / (n + m)."""
    along = statistic * on_line
    return along, np.maximum(statistic - along - BEND * along**2 / np.maximum(size, 1), 0)


def _on_line(moves: Floats, lines: Floats) -> Floats:
    """Return the part of the moves' squares that lies along the lines, from 0 to 1."""
    square = (moves**2).sum(axis=-1)
    return np.asarray(np.minimum((moves * lines).sum(axis=-1) ** 2 / np.maximum(square, TINY), 1))


def _squares(moves: Floats, free: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the trace of the periods' covariance and an unbiased trace of its square, shape (cells,)."""
    products = moves @ moves.transpose(0, 2, 1) / free.clip(1)[:, None, None]
    total, square = np.trace(products, axis1=1, axis2=2), (products**2).sum(axis=(1, 2))
    unbiased = free**2 / ((free - 1).clip(1) * (free + 2)) * (square - total**2 / free.clip(1))
    return total, np.where(free > 1, unbiased, total**2)


def _directions(own: Floats, beyond: Floats, scale: Floats, freedom: Floats, columns: NDArray[np.intp]) -> Floats:
    """Return in how many equal directions the periods vary: squared trace over the trace of the square, by column."""
    squared_trace, trace_of_square = (np.bincount(columns, part / scale)[columns] for part in (own, beyond))
    with np.errstate(divide="ignore", invalid="ignore"):
        directions = np.where(trace_of_square > 0, squared_trace / trace_of_square, freedom)
    return np.clip(np.where(squared_trace > 0, directions, freedom), 1, freedom.clip(1))


def moves_of(reference: Counts) -> Floats:
    """Return each period's shares less the pooled ones, in roots of the pooled: shape (cells, periods, bins).

    Sampling moves them as much in every direction; a period's row times its length is its chi-square.
    """
    rows = reference.sum(axis=-1, keepdims=True)
    pooled = reference.sum(axis=1, keepdims=True)
    share = pooled / np.maximum(pooled.sum(axis=-1, keepdims=True), 1)
    away = reference / np.maximum(rows, 1) - share
    return np.asarray(np.divide(away, np.sqrt(share), out=np.zeros_like(away), where=share > 0) * (rows > 0))


def season_lines(moves: Floats, rows: Floats, columns: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return unit lines of shape (cells, periods, bins), period by period from all others, and (cells, bins) from all.

    A column's segments, `columns` of shape (cells,) tells whose, have one line: season is theirs together. `rows` has
    shape (cells, periods). Leaving a period with weight w out of the covariance takes w / (1 - w) of its square away:
    its own and what it moved the mean.
    """
    total = rows.sum(axis=1, keepdims=True)
    weight = rows / np.maximum(total - rows, 1) * total
    lines, line = np.zeros_like(moves), np.zeros_like(moves[:, 0])
    for column in range(int(columns.max()) + 1):
        cells = columns == column
        by_period, per_row = moves[cells].transpose(1, 0, 2), rows[cells].T[..., None]
        left_out = by_period.transpose(0, 2, 1) @ (weight[cells].T[..., None] * by_period)
        whole = (by_period.transpose(0, 2, 1) @ (per_row * by_period)).sum(axis=0)
        lines[cells], line[cells] = _first_line(whole - left_out), _first_line(whole)
    return lines, line


def _first_line(covariance: Floats) -> Floats:
    """Return the unit eigenvector of the largest eigenvalue, shape (..., bins); zero where nothing moves."""
    largest = np.diagonal(covariance, axis1=-2, axis2=-1).argmax(axis=-1)
    line = np.take_along_axis(covariance, largest[..., None, None], axis=-1)
    for _ in range(STEPS):
        length = np.linalg.norm(line, axis=-2, keepdims=True)
        line = covariance @ np.divide(line, length, out=np.zeros_like(line), where=length > 0)
    length = np.linalg.norm(line, axis=-2, keepdims=True)
    return np.asarray(np.divide(line, length, out=np.zeros_like(line), where=length > 0)[..., 0])
