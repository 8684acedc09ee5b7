"""Finds twins: copies of one application, and applications of one group, which a split must keep on one side."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.applications.applications import Applications
from pipelines.applications.feature_codes import FeatureCodes, Hashes, Rows, mixed, salt
from pipelines.applications.near_pairs import near_pairs

RAREST = 5
"""Values of a row by which a coincidence is ruled out."""

COINCIDENCE = 0.001
"""Rows are copies only where fewer rows than this would share the rarest of the equal values by chance."""


@dataclass(frozen=True)
class Twins:
    """Which applications belong together, all of shape (n,).

    `family` numbers the families of twins; a row without a twin is a family of its own. `is_exact` marks copies with
    equal features, `is_near` those that differ in few (see `find_twins`), `is_grouped` rows that share a group with
    another row.
    """

    family: Rows
    is_exact: NDArray[np.bool_]
    is_near: NDArray[np.bool_]
    is_grouped: NDArray[np.bool_]

    @property
    def rows(self) -> int:
        """Applications with at least one twin."""
        return int((np.bincount(self.family)[self.family] > 1).sum())

    def take(self, rows: Rows) -> "Twins":
        """Return the twins among some of the rows."""
        return Twins(self.family[rows], self.is_exact[rows], self.is_near[rows], self.is_grouped[rows])

    def as_first(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values in which each row has that of the first row of its family."""
        _, first, family = np.unique(self.family, return_index=True, return_inverse=True)
        return np.asarray(values[first[family]])

    def across(self, one: Rows, other: Rows) -> NDArray[np.bool_]:
        """Return which rows of `one` have a twin among the rows of `other`."""
        return np.isin(self.family[one], self.family[other])

    def __str__(self) -> str:
        kinds = {"exact copies": self.is_exact, "near copies": self.is_near, "of a shared group": self.is_grouped}
        return ", ".join(f"{int(rows.sum()):,} {kind}" for kind, rows in kinds.items() if rows.any())


def find_twins(applications: Applications) -> Twins:
    """Return the twins among applications, by their features and by the column data.group.

    Rows with equal features are exact copies. Rows that agree, to four digits, in all features but one are near copies;
    from 10 features on all but two, and from 15 on all but three. In tables with few or coarse features rows are equal
    by chance: such rows are not copies.
    """
    features, rows = applications.features, len(applications)
    exact = np.zeros(rows, np.uint64)
    for index, name in enumerate(features):
        exact += mixed(pd.util.hash_array(features[name].to_numpy()) + salt(index))
    coarse = [FeatureCodes.of(features[name], index) for index, name in enumerate(features)]
    chance = _Chance(coarse, rows)
    copies = _shared(exact, chance.is_small())
    near = [np.full(rows, -1, np.intp)]
    candidates = _agree_in_a_half(coarse, rows)
    if len(coarse) > 1 and len(candidates):
        whole = _summed(coarse, candidates)
        for number, column in enumerate(coarse):
            is_rare = chance.is_small(without=number)[candidates]
            codes = np.full(rows, -1, np.intp)
            codes[candidates] = _shared(whole - column.hashes(candidates), is_rare)
            near.append(codes)
    groups = np.full(rows, -1, np.intp) if applications.groups is None else _shared_groups(applications.groups)
    pairs = near_pairs(coarse, rows, RAREST, np.log(COINCIDENCE / max(rows, 1)))
    is_near = np.any([codes >= 0 for codes in near], axis=0)
    is_near[np.concatenate(pairs)] = True
    family = _families([copies, *near, groups], pairs, rows)
    return Twins(family, copies >= 0, is_near & (copies < 0), groups >= 0)


def _agree_in_a_half(columns: list[FeatureCodes], rows: int) -> Rows:
    """Return the rows that agree with another one in every other feature: near copies do, whichever feature differs."""
    every, agrees = np.arange(rows), np.zeros(rows, bool)
    for half in (columns[::2], columns[1::2]):
        agrees |= _shared(_summed(half, every), np.ones(rows, bool)) >= 0
    return np.flatnonzero(agrees)


def _summed(columns: list[FeatureCodes], rows: Rows) -> Hashes:
    total = np.zeros(len(rows), np.uint64)
    for column in columns:
        total += column.hashes(rows)
    return total


class _Chance:
    """Whether rows with the same values would hardly meet by chance, judged by their rarest values."""

    def __init__(self, columns: list[FeatureCodes], rows: int) -> None:
        """Keep the log shares of the rarest values of each row, and the columns that they are in."""
        self._tries = max(len(columns), 1)
        self._limit = np.log(COINCIDENCE / max(rows, 1))
        self._rarest = np.zeros((rows, RAREST + 1), np.float32)
        self._columns = np.full((rows, RAREST + 1), -1, np.int32)
        for number, column in enumerate(columns):
            shares = column.log_shares[column.codes]
            last = np.argmax(self._rarest, axis=1)[:, None]
            is_rarer = shares < np.take_along_axis(self._rarest, last, axis=1)[:, 0]
            self._rarest[is_rarer, last[is_rarer, 0]] = shares[is_rarer]
            self._columns[is_rarer, last[is_rarer, 0]] = number

    def is_small(self, *, without: int | None = None) -> NDArray[np.bool_]:
        """Return whether that holds for each row, without the values of one column."""
        kept = np.where(self._columns == (-2 if without is None else without), 0.0, self._rarest)
        tries = 0.0 if without is None else np.log(self._tries)
        return np.asarray(np.sort(kept, axis=1)[:, :RAREST].sum(axis=1) < self._limit - tries)


def _shared(keys: Hashes, counts: NDArray[np.bool_]) -> Rows:
    """Return the number of each key that several of the rows that count have, -1 for other rows."""
    codes = np.full(len(keys), -1, np.intp)
    _, inverse, rows = np.unique(keys[counts], return_inverse=True, return_counts=True)
    codes[counts] = np.where(rows[inverse] > 1, inverse, -1)
    return codes


def _shared_groups(groups: NDArray[np.object_]) -> Rows:
    codes, _ = pd.factorize(groups)
    is_shared = np.bincount(codes[codes >= 0], minlength=1)[codes] > 1
    return np.where((codes >= 0) & is_shared, codes, -1)


def _families(keys: list[Rows], pairs: tuple[Rows, Rows], rows: int) -> Rows:
    """Return the number of each row's family: the connected rows that share a key or are a pair."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends, offset = [np.column_stack(pairs)], rows
    for codes in keys:
        here = np.flatnonzero(codes >= 0)
        ends.append(np.column_stack([here, codes[here] + offset]))
        offset += int(codes.max(initial=-1)) + 1
    edges = np.concatenate(ends)
    graph = coo_array((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(offset, offset))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(pd.factorize(labels[:rows])[0])
