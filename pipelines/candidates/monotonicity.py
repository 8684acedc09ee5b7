"""Checks on a fitted model that its score moves in the declared directions."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Columns, Floats, Levels, levels_of
from pipelines.candidates.sample import Sample

T = TypeVar("T", bound=np.generic)

MOST_ROWS, FEWEST_ROWS, ALL_ROWS = 200, 50, 4000
"""So many rows are moved for a feature, spread evenly over those that have it; fewer where there are many features, so
that `ALL_ROWS` are moved in all."""

STEPS = 64
"""So many steps each row takes between the ends of the range, where a feature has more values than that."""

MOST_VALUES = 20_000
"""Longer columns are thinned to so many values before the steps are chosen; the ends of the range stay."""

TOLERANCE = 1e-9
"""Moves of the log-odds up to this size are rounding."""


@dataclass(frozen=True)
class DirectionCheck:
    """How a fitted model keeps to the direction of one feature.

    Attributes:
        feature: Its name.
        direction: 1 where larger numbers may only add to the log-odds of bad, -1 where they may only take from them.
        rows: The rows that were moved; 0 where the feature has no two numbers to move between.
        violating: The rows whose score moves against the direction.
        largest: The largest move against the direction, in log-odds: what a larger number takes from the log-odds of
            bad (or adds to them) compared with any smaller one.
    """

    feature: str
    direction: int
    rows: int
    violating: int
    largest: float

    @property
    def share_violating(self) -> float | None:
        """The share of the rows that violate the direction; None where no row could be moved."""
        return self.violating / self.rows if self.rows else None


def check_directions(
    log_odds: Callable[[Columns], Floats],
    sample: Sample,
    *,
    also: Columns = MappingProxyType({}),
    rows: int | None = None,
    tolerance: float = TOLERANCE,
) -> list[DirectionCheck]:
    """Return the check of each direction of a sample on a fitted model, all else in a row unchanged.

    A feature moves from its smallest number to its largest, over the numbers that it has in the sample and the middle
    between neighbours (Goldstein and others, 2015, individual conditional expectation). Where these are many, rows take
    different ones, so that together they meet most. A row without the feature is not moved: no number is next to a
    missing value.

    Args:
        log_odds: The fitted model: a scorer's `log_odds`, or those after calibration.
        sample: Real rows, with directions.
        also: More columns by whose numbers features move, such as those of the rows that the model was fitted on.
        rows: The most rows to move for a feature, by default 200 to 50; each takes up to 66 scores.
        tolerance: Moves up to this size are rounding.
    """
    directions = {name: sign for name, sign in sample.directions.items() if name in sample.numeric}
    if rows is None:
        rows = max(FEWEST_ROWS, min(MOST_ROWS, ALL_ROWS // max(len(directions), 1)))
    return [
        _check(log_odds, sample, name, sign, np.asarray(also.get(name, ()), np.float64), rows, tolerance)
        for name, sign in directions.items()
    ]


def _check(
    log_odds: Callable[[Columns], Floats],
    sample: Sample,
    name: str,
    sign: int,
    more: Floats,
    rows: int,
    tolerance: float,
) -> DirectionCheck:
    own = np.asarray(sample.columns[name], np.float64)
    points = _points(np.concatenate([own, more]))
    moved = _spread(np.flatnonzero(~np.isnan(own)), rows)
    if len(points) < 2 or not len(moved):
        return DirectionCheck(name, sign, 0, 0, 0.0)
    grid = _grid(points, len(moved))
    repeated = np.tile(np.arange(len(moved)), len(grid))
    names = (*sample.numeric, *sample.categorical)
    columns = {one: _repeat(sample.columns[one], moved, repeated) for one in names} | {name: grid.reshape(-1)}
    risk = sign * log_odds(columns).reshape(grid.shape)
    against = (np.maximum.accumulate(risk, axis=0) - risk).max(axis=0)
    return DirectionCheck(name, sign, len(moved), int((against > tolerance).sum()), float(against.max()))


def _points(numbers: Floats) -> Floats:
    """Return the distinct numbers and the middle between neighbours, in order; whole numbers stay whole.

    >>> _points(np.array([0.0, 1.0, np.nan, 6.0])).tolist(), _points(np.array([0.5, 1.0])).tolist()
    ([0.0, 1.0, 3.0, 6.0], [0.5, 0.75, 1.0])
    """
    distinct = np.unique(_spread(np.sort(numbers[~np.isnan(numbers)]), MOST_VALUES))
    between = distinct[:-1] / 2 + distinct[1:] / 2
    if (distinct == np.floor(distinct)).all():
        between = np.floor(between)
    return np.unique(np.concatenate([distinct, between]))


def _spread(values: NDArray[T], most: int) -> NDArray[T]:
    """Return at most so many of the values, evenly spaced, the first and the last among them.

    >>> _spread(np.arange(10), 4).tolist(), _spread(np.arange(3), 4).tolist()
    ([0, 3, 6, 9], [0, 1, 2])
    """
    return values if len(values) <= most else values[np.arange(most) * (len(values) - 1) // (most - 1)]


def _grid(points: Floats, rows: int) -> Floats:
    """Return the numbers that each row takes, in order, shape (steps, rows)."""
    if len(points) <= STEPS:
        return np.repeat(points[:, None], rows, axis=1)
    parts = np.arange(STEPS)[:, None] + np.arange(rows) / rows
    chosen = points[(parts * len(points) / STEPS).astype(np.intp)]
    return np.vstack([np.full(rows, points[0]), chosen, np.full(rows, points[-1])])


def _repeat(values: Any, rows: NDArray[np.intp], repeated: NDArray[np.intp]) -> Any:
    """Return some rows of a column, each as often as `repeated` has its position; texts are looked up once."""
    if not isinstance(values, Levels) and values.dtype != object:
        return values[rows][repeated]
    coded = values if isinstance(values, Levels) else levels_of(values[rows])
    codes = coded.codes[rows] if isinstance(values, Levels) else coded.codes
    return Levels(codes[repeated], coded.names)
