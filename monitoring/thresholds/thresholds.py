"""The level of a move: watch or act where it is large enough to matter and beyond what chance and season explain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from monitoring.thresholds.settings import ThresholdSettings
from pipelines.credit.arrays import Counts, Floats
from pipelines.credit.false_discovery import q_values
from pipelines.credit.period_variation import Move, move_from
from pipelines.credit.stability import stability_indices
from pipelines.errors import DataError

EVERYONE = "all"
"""The segment of all decisions."""


class Cell(NamedTuple):
    """One column of one segment."""

    column: str
    segment: str = EVERYONE


class Level(Enum):
    """The level of a cell's move."""

    QUIET = "quiet"
    WATCH = "watch"
    ACT = "act"
    TOO_SMALL = "too small"


MOVED = (Level.WATCH, Level.ACT)
"""Levels of a move that a person has to look at."""


@dataclass(frozen=True)
class Judgement:
    """How far a cell moved from the reference, how far noise alone reaches, and the level.

    `psi` is the effect and `excess` the part of it beyond the average of sampling noise. `limit` is the PSI from which
    the cell is at watch level: the floor, noise, and the furthest excess of a period of the reference against the
    others (`furthest`). `season` is the excess against the same month a year ago, None where there is none. `chance` is
    the probability of such a move without drift, `q_value` its false discovery rate among all cells; both are None
    where the cell is too small. `lasting` counts the consecutive periods at watch or act level, including this one.
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
    thresholds: ThresholdSettings,
    *,
    season: int | None = None,
    earlier: Sequence[Mapping[Cell, Level]] = (),
) -> list[Judgement]:
    """Return the judgement of each cell, in the order of `current`.

    Args:
        reference: for each cell the counts of the reference's periods in frozen bins, shape (periods, bins). A single
            period leaves the variation between periods unknown: then only sampling counts as noise.
        current: for each cell the counts of the period that is judged, shape (bins,).
        thresholds: a move counts from a PSI, less the average of sampling noise, and a q-value of at most a rate, the
            share of months without drift in which any cell counts as moved. A cell at watch level in `persist`
            consecutive periods reaches act level; one where sampling alone leaves a PSI above `blind` in one of a
            hundred quiet months is too small.
        season: the index of the reference's period that is the same month a year ago. A move must then be a move from
            that month too.
        earlier: the levels of the periods before, oldest first, as judged then.

    Raises:
        DataError: a cell was counted in the current period and not in the reference, or in other bins.
    """
    cells = list(current)
    _check(reference, current)
    compared = _compare(*_stack([reference[cell] for cell in cells], [current[cell] for cell in cells]), cells, season)
    levels, limit, q_value = _levels(compared, thresholds)
    judgements = []
    for index, cell in enumerate(cells):
        lasting = _lasting(cell, Level(levels[index]), earlier)
        level = Level.ACT if lasting >= thresholds.persist else Level(levels[index])
        judgements.append(compared.judgement(index, cell, level, limit, q_value, lasting))
    return judgements


@dataclass(frozen=True)
class _Compared:
    """The figures of every cell, each of shape (cells,)."""

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
        """Return the PSI that noise reaches with these probabilities, for a move of the observed kind."""
        large = self.move.statistic > self.move.sampling
        with np.errstate(divide="ignore", invalid="ignore"):
            kind = np.where(large, self.psi / (self.move.statistic * self.sampling), 1.0)
        return np.asarray(self.move.reach(chance) * self.sampling * kind)

    def judgement(
        self, index: int, cell: Cell, level: Level, limit: Floats, q_value: Floats, lasting: int
    ) -> Judgement:
        """Return one cell's judgement."""
        is_judged = level is not Level.TOO_SMALL
        return Judgement(
            cell=cell,
            level=level,
            psi=float(self.psi[index]),
            excess=float(self.excess[index]),
            limit=float(limit[index]),
            furthest=float(self.furthest[index]),
            season=None if self.season is None else float(self.season[index]),
            chance=float(self.chance[index]) if is_judged else None,
            q_value=float(q_value[index]) if is_judged else None,
            rows=int(self.rows[index]),
            reference_rows=int(self.reference_rows[index]),
            periods=int(self.periods[index]),
            lasting=lasting,
        )


def _compare(reference: Counts, current: Counts, cells: Sequence[Cell], season: int | None) -> _Compared:
    _, columns = np.unique([cell.column for cell in cells], return_inverse=True)
    pooled, rows, reference_rows = reference.sum(axis=1), current.sum(axis=-1), reference.sum(axis=(1, 2))
    move = move_from(reference, current, columns)
    sampling = 1 / np.maximum(rows, 1) + 1 / np.maximum(reference_rows, 1)
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
        reference_rows=reference_rows,
        periods=(reference.sum(axis=-1) > 0).sum(axis=-1),
    )


def _weights(cells: Sequence[Cell]) -> Floats:
    """Return the share of the error of each cell: half of it for the columns of all decisions, half for segments.

    P-values are divided by weights of mean 1 (Genovese, Roeder and Wasserman 2006), so that many segments do not hide
    what happens overall.
    """
    everyone = np.array([cell.segment == EVERYONE for cell in cells])
    share = everyone.mean()
    if share in (0, 1):
        return np.ones(len(cells))
    return np.asarray(np.where(everyone, 0.5 / share, 0.5 / (1 - share)))


def _furthest(reference: Counts, mean: Floats) -> Floats:
    """Return the largest excess of a period of the reference against all other periods, shape (cells,)."""
    if reference.shape[1] == 1:
        return np.zeros(len(reference))
    rest = reference.sum(axis=1, keepdims=True) - reference
    rows, others = (np.maximum(part.sum(axis=-1), 1) for part in (reference, rest))
    excess = stability_indices(rest, reference) - mean[:, None] * (1 / rows + 1 / others)
    return np.asarray(np.where(reference.sum(axis=-1) > 0, excess, 0.0).max(axis=1).clip(0))


def _levels(compared: _Compared, thresholds: ThresholdSettings) -> tuple[NDArray[np.object_], Floats, Floats]:
    cells = len(compared.psi)
    small = _too_small(compared, thresholds.blind, thresholds.act_rate / cells)
    q_value = np.ones(cells)
    weight = compared.weight / compared.weight[~small].mean() if not small.all() else compared.weight
    q_value[~small] = q_values(np.minimum(compared.chance / weight, 1)[~small])
    level = np.full(cells, Level.QUIET.value, dtype=object)
    floors = (
        (Level.WATCH, thresholds.watch_psi, thresholds.watch_rate),
        (Level.ACT, thresholds.act_psi, thresholds.act_rate),
    )
    for name, psi, rate in floors:
        moved = (q_value <= rate) & (compared.excess > np.maximum(psi, compared.furthest))
        if compared.season is not None:
            moved &= compared.season > psi
        level[moved] = name.value
    level[small] = Level.TOO_SMALL.value
    called = max(int((q_value <= thresholds.watch_rate).sum()), 1)
    needed = np.maximum(thresholds.watch_psi, compared.furthest) + compared.move.sampling * compared.sampling
    tested = max(int((~small).sum()), 1)
    return (
        level,
        np.maximum(needed, compared.psi_at(np.minimum(thresholds.watch_rate * called / tested * weight, 1))),
        q_value,
    )


def _too_small(compared: _Compared, blind: float, chance: float) -> NDArray[np.bool_]:
    """Return where sampling alone exceeds a PSI of `blind` with this probability: (1/n + 1/m) chi-square."""
    reach = compared.sampling * chdtri(np.maximum(compared.move.sampling, 1), chance)
    return np.asarray((reach > blind) | (compared.rows == 0) | (compared.reference_rows == 0))


def _lasting(cell: Cell, level: Level, earlier: Sequence[Mapping[Cell, Level]]) -> int:
    lasting = 0
    for one in (level, *(levels.get(cell, Level.QUIET) for levels in reversed(earlier))):
        if one not in MOVED:
            break
        lasting += 1
    return lasting


def _stack(reference: Sequence[Counts], current: Sequence[Counts]) -> tuple[Counts, Counts]:
    """Return the cells' counts as arrays of (cells, periods, bins) and (cells, bins), filled up with empty bins."""
    bins, periods = max(len(one) for one in current), max(len(one) for one in reference)
    before, now = np.zeros((len(current), periods, bins), np.int64), np.zeros((len(current), bins), np.int64)
    for index, (reference_counts, counts) in enumerate(zip(reference, current, strict=True)):
        before[index, : len(reference_counts), : reference_counts.shape[1]] = reference_counts
        now[index, : len(counts)] = counts
    return before, now


def _check(reference: Mapping[Cell, Counts], current: Mapping[Cell, Counts]) -> None:
    for cell, counts in current.items():
        before = reference.get(cell)
        if before is None or before.ndim != 2 or before.shape[1:] != counts.shape:
            shape = "no reference" if before is None else f"a reference of shape {before.shape}"
            raise DataError(
                f"{cell.column} of {cell.segment} has {len(counts)} bins and {shape}; count both in the frozen bins of "
                "the reference profile"
            )
