"""The levels of a text column that vanished or appeared, from its counts in frozen bins."""

from collections.abc import Iterator, Sequence

import pandas as pd

from monitoring.thresholds.share_changes import ShareChange, ShareKind, changed_shares
from pipelines.credit.arrays import Counts
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.unseen import unseen_weight

MOST_OF_THEM = 0.5
"""A value is named where so many of the new values are it."""


def levels_of_column(bins: FrozenBins, before: Counts, now: Counts, values: "pd.Series[str]") -> Iterator[ShareChange]:
    """Yield the levels of a text column that vanished or appeared; missing values are none.

    `before` has the counts of the reference's periods in the bins, shape (periods, bins), `now` those of the window,
    and `values` some of its values.
    """
    pooled = before[:, 1:].sum(axis=0)
    weights = {len(pooled) - 1: unseen_weight(int(pooled[-1]), bins.twice)}
    rare = values[values.isin(bins.rare)]
    names = [*bins.levels, _new_name(rare, []), _new_name(values, [*bins.levels, *bins.rare])]
    changes = changed_shares(bins.column, names, before[:, 1:], now[1:], weights=weights)
    yield from (one for one in changes if one.kind is ShareKind.APPEARED or one.name in bins.levels)


def _new_name(values: "pd.Series[str]", known: Sequence[str]) -> str | None:
    """Return the most frequent value that is none of these, None where it is not most of them."""
    others = values.dropna().astype(str)
    times = others[~others.isin(known)].value_counts()
    return str(times.index[0]) if len(times) and times.iloc[0] >= MOST_OF_THEM * times.sum() else None
