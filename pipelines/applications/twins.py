"""Finds twins: copies of one application, and applications of one group, which a split must keep on one side."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.applications.applications import Applications

Rows = NDArray[np.intp]
Hashes = NDArray[np.uint64]

RAREST = 5
"""Values of a row by which a coincidence is ruled out."""

COINCIDENCE = 0.001
"""Rows are copies only where fewer rows than this would share the rarest of the equal values by chance."""

DIGITS = 4
"""Significant digits to which numbers of near copies agree."""


@dataclass(frozen=True)
class Twins:
    """Which applications belong together, all of shape (n,).

    `family` numbers the families of twins; a row without a twin is a family of its own. `is_exact` marks copies with
    equal features, `is_near` those that differ in one feature at most, `is_grouped` rows that share a group with
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

    Rows with equal features are exact copies; rows that agree in all features but one, to four digits, near copies. In
    tables with few or coarse features rows are equal by chance: such rows are not copies.
    """
    exact, coarse, rarity = _hashed(applications.features)
    rows = len(applications)
    chance = _Chance(rarity)
    copies = _shared(_mixed(exact.sum(axis=1, dtype=np.uint64)), chance.is_small())
    whole = coarse.sum(axis=1, dtype=np.uint64)
    columns = range(exact.shape[1]) if exact.shape[1] > 1 else ()
    near = [_shared(_mixed(whole - coarse[:, column]), chance.is_small(without=column)) for column in columns]
    groups = np.full(rows, -1, np.intp) if applications.groups is None else _shared_groups(applications.groups)
    is_near = np.any([codes >= 0 for codes in near], axis=0) if near else np.zeros(rows, bool)
    return Twins(_families([copies, *near, groups], rows), copies >= 0, is_near & (copies < 0), groups >= 0)


class _Chance:
    """Whether rows with the same values would hardly meet by chance, judged by their rarest values."""

    def __init__(self, log_shares: NDArray[np.float32]) -> None:
        """Keep the rarest values of each row; `log_shares` is the log share of rows with each value, shape (n, p)."""
        self._tries = log_shares.shape[1]
        self._columns = np.argsort(log_shares, axis=1)[:, : RAREST + 1]
        self._log_shares = np.take_along_axis(log_shares, self._columns, axis=1)
        self._limit = np.log(COINCIDENCE / max(len(log_shares), 1))

    def is_small(self, *, without: int | None = None) -> NDArray[np.bool_]:
        """Return whether that holds for each row, without the values of one column."""
        kept = np.where(self._columns == without, 0.0, self._log_shares)
        tries = 0.0 if without is None else np.log(self._tries)
        return np.asarray(np.sort(kept, axis=1)[:, :RAREST].sum(axis=1) < self._limit - tries)


def _hashed(features: pd.DataFrame) -> tuple[Hashes, Hashes, NDArray[np.float32]]:
    """Return the hash of each value, that of its rounded value, and the log share of rows with the rounded value."""
    shape = (len(features), features.shape[1])
    exact, coarse, rarity = np.empty(shape, np.uint64), np.empty(shape, np.uint64), np.empty(shape, np.float32)
    salts = np.arange(1, shape[1] + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for index, name in enumerate(features):
        values = features[name]
        rounded = _rounded(values) if pd.api.types.is_float_dtype(values) else values
        codes, levels = pd.factorize(rounded, use_na_sentinel=False)
        exact[:, index] = _mixed(pd.util.hash_array(values.to_numpy()) + salts[index : index + 1])
        coarse[:, index] = _mixed(pd.util.hash_array(np.asarray(levels)) + salts[index : index + 1])[codes]
        rarity[:, index] = np.log(np.bincount(codes) / max(len(features), 1))[codes]
    return exact, coarse, rarity


def _rounded(values: "pd.Series[float]") -> "pd.Series[float]":
    numbers = values.to_numpy(np.float64)
    sizes = np.abs(numbers)
    is_plain = np.isfinite(numbers) & (sizes > 0)
    scale = np.ones(len(numbers))
    scale[is_plain] = 10.0 ** (DIGITS - 1 - np.floor(np.log10(sizes[is_plain])))
    return pd.Series(np.where(is_plain, np.round(numbers * scale) / scale, numbers) + 0.0)


def _mixed(values: Hashes) -> Hashes:
    """Scramble the bits (Steele, Lea and Flood, 2014, SplitMix64), so that sums of hashes stay apart."""
    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


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


def _families(keys: list[Rows], rows: int) -> Rows:
    """Return the number of each row's family: the connected rows that share a key."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends, offset = [], rows
    for codes in keys:
        here = np.flatnonzero(codes >= 0)
        ends.append(np.column_stack([here, codes[here] + offset]))
        offset += int(codes.max(initial=-1)) + 1
    edges = np.concatenate(ends)
    graph = coo_array((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(offset, offset))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(pd.factorize(labels[:rows])[0])
