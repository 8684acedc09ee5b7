"""When a move is an alarm: large enough to matter for business, and more than chance and season explain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from pipelines.credit.false_discovery import q_values
from pipelines.credit.period_variation import Move, move_from
from pipelines.credit.psi_noise import Counts, Floats
from pipelines.credit.stability import stability_indices
from pipelines.errors import DataError

EVERYONE = "all"
"""The segment that holds every application."""


class Cell(NamedTuple):
    """One column of one segment."""

    column: str
    segment: str = EVERYONE


class Level(Enum):
    """What a cell's move asks for."""

    QUIET = "quiet"
    WATCH = "watch"
    ACT = "act"
    TOO_SMALL = "too small"


@dataclass(frozen=True)
class Floor:
    """A move counts from a PSI of `psi` on, beyond what sampling leaves on average, and from a q-value of `rate` down.

    `rate` is the share of months without drift in which anything is called a move at all.
    """

    psi: float
    rate: float


@dataclass(frozen=True)
class Thresholds:
    """The rules. `watch` again in `persist` periods in a row is `act`.

    A cell is `too small` where sampling alone would leave a PSI above `blind` in one of a hundred quiet months.
    """

    watch: Floor = Floor(0.1, 0.05)
    act: Floor = Floor(0.25, 0.01)
    persist: int = 2
    blind: float = 0.5


@dataclass(frozen=True)
class Judgement:
    """How far a cell moved from the reference, how far noise alone would reach, and what to do.

    `psi` is the effect and `excess` what of it sampling does not leave on average. `limit` is the PSI from which the
    cell is watched: the floor, noise, and the furthest that a period of the reference lies from the others
    (`furthest`, an excess). `season` is the excess against the same month a year ago, None where there is none.
    `chance` is the probability of such a move without drift, `q_value` its false discovery rate among all cells; both
    None where the cell is too small. `lasting` counts the periods in a row, this one included, that were watched.
    """

    cell: Cell
    level: Level
    psi: float
    excess: float
    limit: float
    furthest: float
    season: float | None
    chance: float | None
    q_value: float | None
    rows: int
    reference_rows: int
    periods: int
    lasting: int


def judge(
    reference: Mapping[Cell, Counts],
    current: Mapping[Cell, Counts],
    thresholds: Thresholds,
    *,
    season: int | None = None,
    earlier: Sequence[Mapping[Cell, Level]] = (),
) -> list[Judgement]:
    """Return the judgement of each cell, in the order of `current`.

    Args:
        reference: for each cell the counts of the reference's periods in frozen bins, shape (periods, bins). A single
            period leaves the variation from period to period unknown: then only sampling counts as noise. The levels
            are kept with seasons from 12 periods on.
        current: for each cell the counts of the period that is judged, shape (bins,).
        thresholds: floors, levels and rules.
        season: which of the reference's periods is the same month a year ago. What that month showed too is season, so
            a move must also be a move from it.
        earlier: the levels of the periods before, oldest first, as judged then.

    Raises:
        DataError: a cell was counted in the current period and not in the reference, or in other bins.
    """
    cells = list(current)
    _check(reference, current)
    compared = _compare(*_stack([reference[cell] for cell in cells], [current[cell] for cell in cells]), cells, season)
    level, limit, q_value = _levels(compared, thresholds)
    judged = []
    for place, cell in enumerate(cells):
        lasting = _lasting(cell, Level(level[place]), earlier)
        found = Level.ACT if lasting >= thresholds.persist else Level(level[place])
        judged.append(compared.judgement(place, cell, found, limit, q_value, lasting))
    return judged


def worst(judgements: Sequence[Judgement]) -> Level:
    """Return `act` or `watch` when any cell has it, else `quiet`."""
    found = {one.level for one in judgements}
    return next((level for level in (Level.ACT, Level.WATCH) if level in found), Level.QUIET)


@dataclass(frozen=True)
class _Compared:
    """Every cell's numbers, each of shape (cells,)."""

    psi: Floats
    excess: Floats
    furthest: Floats
    season: Floats | None
    move: Move
    chance: Floats
    weight: Floats
    sampling: Floats
    rows: NDArray[np.int64]
    reference_rows: NDArray[np.int64]
    periods: NDArray[np.int64]

    def psi_at(self, chance: Floats) -> Floats:
        """Return the PSI that noise reaches with these probabilities, for a move of the kind that was found."""
        large = self.move.statistic > self.move.sampling
        with np.errstate(divide="ignore", invalid="ignore"):
            kind = np.where(large, self.psi / (self.move.statistic * self.sampling), 1.0)
        return np.asarray(self.move.reach(chance) * self.sampling * kind)

    def judgement(
        self, place: int, cell: Cell, level: Level, limit: Floats, q_value: Floats, lasting: int
    ) -> Judgement:
        """Return one cell's judgement."""
        told = level is not Level.TOO_SMALL
        return Judgement(
            cell=cell,
            level=level,
            psi=float(self.psi[place]),
            excess=float(self.excess[place]),
            limit=float(limit[place]),
            furthest=float(self.furthest[place]),
            season=None if self.season is None else float(self.season[place]),
            chance=float(self.chance[place]) if told else None,
            q_value=float(q_value[place]) if told else None,
            rows=int(self.rows[place]),
            reference_rows=int(self.reference_rows[place]),
            periods=int(self.periods[place]),
            lasting=lasting,
        )


def _compare(reference: Counts, current: Counts, cells: Sequence[Cell], season: int | None) -> _Compared:
    _, columns = np.unique([cell.column for cell in cells], return_inverse=True)
    pooled, rows, known = reference.sum(axis=1), current.sum(axis=-1), reference.sum(axis=(1, 2))
    move = move_from(reference, current, columns)
    sampling = 1 / np.maximum(rows, 1) + 1 / np.maximum(known, 1)
    psi, chance = stability_indices(pooled, current), move.chance
    against = None
    if season is not None:
        month = reference[:, [season]]
        alone = move_from(month, current, columns)
        between = 1 / np.maximum(rows, 1) + 1 / np.maximum(month.sum(axis=(1, 2)), 1)
        against = stability_indices(month[:, 0], current) - alone.sampling * between
        chance = np.maximum(chance, alone.chance)
    return _Compared(
        psi=psi,
        excess=psi - move.sampling * sampling,
        furthest=_furthest(reference, move.sampling),
        season=against,
        move=move,
        chance=chance,
        weight=_weights(cells),
        sampling=sampling,
        rows=rows,
        reference_rows=known,
        periods=(reference.sum(axis=-1) > 0).sum(axis=-1),
    )


def _weights(cells: Sequence[Cell]) -> Floats:
    """Return how much of the error each cell may make: half of it everyone's columns, half the segments'.

    P-values are divided by weights of mean 1 (Genovese, Roeder and Wasserman 2006), so that many segments do not hide
    what happens to everyone.
    """
    everyone = np.array([cell.segment == EVERYONE for cell in cells])
    share = everyone.mean()
    if share in (0, 1):
        return np.ones(len(cells))
    return np.asarray(np.where(everyone, 0.5 / share, 0.5 / (1 - share)))


def _furthest(reference: Counts, mean: Floats) -> Floats:
    """Return the largest excess of a period of the reference against all others, itself left out, shape (cells,)."""
    if reference.shape[1] == 1:
        return np.zeros(len(reference))
    rest = reference.sum(axis=1, keepdims=True) - reference
    rows, others = (np.maximum(part.sum(axis=-1), 1) for part in (reference, rest))
    excess = stability_indices(rest, reference) - mean[:, None] * (1 / rows + 1 / others)
    return np.asarray(np.where(reference.sum(axis=-1) > 0, excess, 0.0).max(axis=1).clip(0))


def _levels(compared: _Compared, thresholds: Thresholds) -> tuple[NDArray[np.object_], Floats, Floats]:
    """Return each cell's level from this period alone, the PSI from which it is watched, and its q-value."""
    cells = len(compared.psi)
    small = _too_small(compared, thresholds.blind, thresholds.act.rate / cells)
    q_value = np.ones(cells)
    weight = compared.weight / compared.weight[~small].mean() if not small.all() else compared.weight
    q_value[~small] = q_values(np.minimum(compared.chance / weight, 1)[~small])
    level = np.full(cells, Level.QUIET.value, dtype=object)
    for name, floor in ((Level.WATCH, thresholds.watch), (Level.ACT, thresholds.act)):
        moved = (q_value <= floor.rate) & (compared.excess > np.maximum(floor.psi, compared.furthest))
        if compared.season is not None:
            moved &= compared.season > floor.psi
        level[moved] = name.value
    level[small] = Level.TOO_SMALL.value
    called = max(int((q_value <= thresholds.watch.rate).sum()), 1)
    needed = np.maximum(thresholds.watch.psi, compared.furthest) + compared.move.sampling * compared.sampling
    tested = max(int((~small).sum()), 1)
    return (
        level,
        np.maximum(needed, compared.psi_at(np.minimum(thresholds.watch.rate * called / tested * weight, 1))),
        q_value,
    )


def _too_small(compared: _Compared, blind: float, chance: float) -> NDArray[np.bool_]:
    """Return where sampling alone exceeds a PSI of `blind` with this probability: (1/n + 1/m) chi-square."""
    reach = compared.sampling * chdtri(np.maximum(compared.move.sampling, 1), chance)
    return np.asarray((reach > blind) | (compared.rows == 0) | (compared.reference_rows == 0))


def _lasting(cell: Cell, level: Level, earlier: Sequence[Mapping[Cell, Level]]) -> int:
    """Return for how many periods in a row, this one included, a cell has been watched or acted on."""
    lasting = 0
    for found in (level, *(levels.get(cell, Level.QUIET) for levels in reversed(earlier))):
        if found not in (Level.WATCH, Level.ACT):
            break
        lasting += 1
    return lasting


def _stack(reference: Sequence[Counts], current: Sequence[Counts]) -> tuple[Counts, Counts]:
    """Return the cells' counts as arrays of (cells, periods, bins) and (cells, bins), filled up with empty bins."""
    bins, periods = max(len(one) for one in current), max(len(one) for one in reference)
    known, now = np.zeros((len(current), periods, bins), np.int64), np.zeros((len(current), bins), np.int64)
    for place, (before, one) in enumerate(zip(reference, current, strict=True)):
        known[place, : len(before), : before.shape[1]] = before
        now[place, : len(one)] = one
    return known, now


def _check(reference: Mapping[Cell, Counts], current: Mapping[Cell, Counts]) -> None:
    for cell, counts in current.items():
        known = reference.get(cell)
        if known is None or known.ndim != 2 or known.shape[1:] != counts.shape:
            told = "nothing" if known is None else f"shape {known.shape}"
            raise DataError(
                f"a period is compared in the bins of its reference, received {cell.column} of {cell.segment} in "
                f"{len(counts)} bins against {told}; count both with the reference profile's frozen bins"
            )
