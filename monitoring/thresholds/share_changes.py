"""Levels and segments that vanished or appeared: shares of rows far beyond what months and chance do to them.

The PSI of a column weighs all of its levels together, so that a small level may come or go below its limit. Here each
level is judged by itself, against its shares in the periods of the reference.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy.special import bdtr, bdtrc, logit
from scipy.stats import t

from monitoring.thresholds.thresholds import Level
from pipelines.credit.arrays import Counts, Floats

CHANCE = 1e-3
"""Probability that months and chance alone move a share so far."""

USUAL, USUAL_WEIGHT = 0.15, 6
"""Prior of the variation of a share's log odds from period to period: this deviation, with the weight of so many."""

LEAST_SHARE, LEAST_ROWS = 0.02, 20
"""A level is known where the reference has this share of it, and a window like the reference so many rows."""

KEPT = 0.25
"""A level vanished where at most this part of its share is left,"""

NEW_SHARE = 0.03
"""and appeared where it has at least this share of the rows,"""

OLD_PART = 0.2
"""of which the reference has at most this part."""

ACT_SHARE = 0.05
"""From this change of a share on, in parts of all rows, the change is at act level."""


class ShareKind(Enum):
    """What happened to a share."""

    VANISHED = "vanished"
    APPEARED = "appeared"


@dataclass(frozen=True)
class ShareChange:
    """A level of a column, or a segment, that vanished or appeared.

    `now` and `before` are shares of the rows of the window and of the reference; `rows` and `expected_rows` are the
    window's and those that a window of this size is expected to have. `name` is None for new values of which none is
    most of them.
    """

    kind: ShareKind
    column: str
    name: str | None
    is_segment: bool
    now: float
    before: float
    rows: int
    expected_rows: float

    @property
    def level(self) -> Level:
        """Act level for a change of many rows, watch level for others."""
        return Level.ACT if abs(self.now - self.before) >= ACT_SHARE else Level.WATCH

    @property
    def cause(self) -> str:
        """The kind of change, without values."""
        return f"{'segment' if self.is_segment else 'level'} {self.kind.value}"

    @property
    def subject(self) -> str:
        """What vanished or appeared, in words."""
        if self.name is None:
            return f"new values of {self.column}"
        return f"segment {self.column}={self.name}" if self.is_segment else f"level '{self.name}' of {self.column}"

    @property
    def sentence(self) -> str:
        """What happened, with its figures."""
        return (
            f"{self.subject} {self.kind.value}: {self.rows:,} rows ({self.now:.1%}), where the reference predicts "
            f"{self.expected_rows:,.0f} ({self.before:.1%})"
        )


def changed_shares(
    column: str,
    names: Sequence[str | None],
    reference: Counts,
    current: Counts,
    *,
    is_segment: bool = False,
    weights: Mapping[int, float] | None = None,
) -> Iterator[ShareChange]:
    """Yield the levels that vanished or appeared.

    Args:
        column: the column, or the dimension of segments.
        names: of each level, shape (levels,).
        reference: rows of each period and level, shape (periods, levels).
        current: rows of each level in the window, shape (levels,).
        is_segment: whether the levels are segments.
        weights: by the index of a level how much of a row each row of the reference counts for, where its share is
            known less well than by counting.
    """
    rows, known = int(current.sum()), reference[reference.sum(axis=1) > 0]
    if not rows or not len(known):
        return
    total, before = int(known.sum()), known.sum(axis=0)
    months = known / known.sum(axis=1, keepdims=True)
    share, now = before / total, current / rows
    up, down = _chances(known, current, weights or {})
    for index, name in enumerate(names):
        p, q = float(share[index]), float(now[index])
        gone = q <= KEPT * min(p, months[:, index].min()) and down[index] <= CHANCE
        new = max(p, months[:, index].max()) <= OLD_PART * q and up[index] <= CHANCE
        if p >= LEAST_SHARE and p * rows >= LEAST_ROWS and gone:
            yield ShareChange(ShareKind.VANISHED, column, name, is_segment, q, p, int(current[index]), p * rows)
        elif q >= NEW_SHARE and new:
            yield ShareChange(ShareKind.APPEARED, column, name, is_segment, q, p, int(current[index]), p * rows)


def _chances(known: Counts, current: Counts, weights: Mapping[int, float]) -> tuple[Floats, Floats]:
    """Return the probabilities of counts so high and so low where the odds moved as far as they do in months.

    The rows of a level in both samples together are shared out between them as binomial chance does (the conditional
    test of two Poisson rates, Przyborowski and Wilenski 1940), so that an empty reference needs no guess of its share.
    """
    reach = np.exp(_reach(known))
    weight = np.array([weights.get(index, 1.0) for index in range(len(current))])
    rows, total = current.sum(), known.sum() * weight
    both = np.rint(current + known.sum(axis=0) * weight).astype(np.int64)
    up = bdtrc(current - 1, both, rows * reach / (rows * reach + total))
    down = bdtr(current, both, rows / reach / (rows / reach + total))
    return np.where(current > 0, up, 1.0).astype(np.float64), np.asarray(down, dtype=np.float64)


def _reach(known: Counts) -> Floats:
    """Return how far the log odds of shares move from all periods to a new one, with a probability of CHANCE.

    They vary by a variance of which the periods of the reference and the prior are both estimates; shape (levels,).
    """
    rows, periods = known.sum(axis=1, keepdims=True), len(known)
    share = (known.sum(axis=0) + 0.5) / (known.sum() + 1)
    odds = logit((known + 0.5) / (rows + 1))
    sampling = 1 / np.maximum(rows * share * (1 - share), 0.5)
    squares = np.maximum(((odds - odds.mean(axis=0)) ** 2).sum(axis=0) - (periods - 1) * sampling.mean(axis=0), 0)
    free = USUAL_WEIGHT + periods - 1
    variance = (USUAL_WEIGHT * USUAL**2 + squares) / free
    return np.asarray(-t.ppf(CHANCE, free) * np.sqrt(variance * (1 + 1 / periods)))
