"""Monthly counts of forty features and a score, by segment, with seasons: simulated, with or without a shift."""

from dataclasses import dataclass

import numpy as np

from monitoring.thresholds.settings import ThresholdSettings
from monitoring.thresholds.thresholds import EVERYONE, Cell, Level, judge

COLUMNS, SEGMENTS, MONTHS = 41, 8, 12
MOST_BINS = 12


@dataclass(frozen=True)
class Season:
    """How months differ without drift, as standard deviations of a month's log odds along a line, and Dirichlet noise.

    `year` is a yearly cycle, `month` a campaign of that month alone, both shared by all segments; `december` a peak in
    each December in one of four columns; `shares` and `own` the relative variance of each bin's share, of the column
    and of each segment by itself.
    """

    year: float = 0.1
    month: float = 0.05
    december: float = 0.3
    shares: float = 0.001
    own: float = 0.001


@dataclass(frozen=True)
class World:
    """Counts of each cell in the reference's months and in the two months after, shape (months, bins)."""

    reference: dict[Cell, np.ndarray]
    after: list[dict[Cell, np.ndarray]]

    def levels(self, thresholds: ThresholdSettings) -> list[dict[Cell, Level]]:
        """Return the levels of the two months, the second judged with the first in mind."""
        found: list[dict[Cell, Level]] = []
        for month, counts in enumerate(self.after):
            judged = judge(self.reference, counts, thresholds, season=month, earlier=found)
            found.append({one.cell: one.level for one in judged})
        return found


def draw_world(generator: np.random.Generator, rows: int, season: Season, *, moved: int = 0, psi: float = 0.0) -> World:
    """Return a reference of 12 months and two months after it, of about `rows` applications each.

    In the two months the first `moved` columns lie `psi` from where they would have been, in every segment.
    """
    sizes = np.maximum((rows * generator.dirichlet(np.full(SEGMENTS, 3.0))).astype(int), 1)
    reference: dict[Cell, np.ndarray] = {}
    after: list[dict[Cell, np.ndarray]] = [{}, {}]
    for column in range(COLUMNS):
        counts = _column(generator, sizes, season, psi if column < moved else 0.0)
        for segment, found in zip((EVERYONE, *map(str, range(SEGMENTS))), counts, strict=True):
            cell = Cell(f"column {column}", segment)
            reference[cell] = found[:MONTHS]
            after[0][cell], after[1][cell] = found[MONTHS:]
    return World(reference, after)


def _column(generator: np.random.Generator, sizes: np.ndarray, season: Season, psi: float) -> np.ndarray:
    """Return counts of shape (1 + segments, months, bins), everyone first."""
    bins = int(generator.integers(2, MOST_BINS + 1))
    share = np.maximum(generator.dirichlet(np.full(bins, 2.0)), 1e-4)
    share /= share.sum()
    months = np.arange(MONTHS + 2)
    along = season.year * np.sqrt(2) * np.cos(2 * np.pi * (months - generator.uniform(0, 12)) / 12)
    along += season.month * generator.standard_normal(len(months))
    along += season.december * (months % 12 == 11) * (generator.random() < 0.25)
    log_odds = np.log(share) + np.multiply.outer(along, _line(generator, share))
    if psi:
        log_odds[MONTHS:] += _shift(share, _line(generator, share), psi)
    monthly = _around(generator, _normed(np.exp(log_odds)), season.shares)
    by_segment = _around(generator, np.broadcast_to(monthly, (len(sizes), *monthly.shape)), season.own)
    counts = generator.multinomial(sizes[:, None], by_segment)
    return np.concatenate([counts.sum(axis=0, keepdims=True), counts])


def _line(generator: np.random.Generator, share: np.ndarray) -> np.ndarray:
    """Return a direction of log odds with mean 0 and standard deviation 1 over the rows."""
    line = generator.standard_normal(len(share))
    line -= share @ line
    return np.asarray(line / np.sqrt(share @ line**2))


def _shift(share: np.ndarray, line: np.ndarray, psi: float) -> np.ndarray:
    """Return the shift of log odds along a line that has this PSI, found by halving."""
    low, high = 0.0, 5.0
    for _ in range(40):
        middle = (low + high) / 2
        moved = _normed(share * np.exp(middle * line))
        low, high = (middle, high) if (moved - share) @ np.log(moved / share) < psi else (low, middle)
    return low * line


def _around(generator: np.random.Generator, share: np.ndarray, variance: float) -> np.ndarray:
    """Return shares drawn from the Dirichlet distribution with this relative variance."""
    return _normed(generator.gamma(share * (1 / variance - 1)) + 1e-12)


def _normed(weights: np.ndarray) -> np.ndarray:
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
