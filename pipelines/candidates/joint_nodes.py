"""The nodes of the trees of one or several models in one place: what they compare has one name for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.array_trees import ArrayTrees
from pipelines.candidates.portable_model import Floats


@dataclass(frozen=True)
class TreeSet:
    """The trees of a model, and how columns become their features: the `numeric` ones first, then those of `levels`.

    Attributes:
        trees: The trees.
        numeric: The numeric columns.
        levels: By categorical column, the position of each level in the trees' tables; None is missing.
        unknown: By categorical column, the position of all other levels.
        medians: By numeric column, what a missing value counts as; of other columns a node sends it left or right.
    """

    trees: ArrayTrees
    numeric: Sequence[str]
    levels: Mapping[str, Mapping[str | None, int]]
    unknown: Mapping[str, int]
    medians: Mapping[str, float]

    @property
    def is_single(self) -> bool:
        """Whether numbers are compared in single precision."""
        return bool(self.trees.arrays["threshold"].dtype == np.float32)


class JointNodes:
    """All nodes of several models, one entry each, and what they are about.

    Attributes:
        numbers: The numeric columns, each with whether it is compared in single precision.
        positions: By categorical column, the position of each level that any model learnt; None is missing, and all
            others have the next position.
        roots: The first node of each tree.
        models: Per model, where its trees are among the roots.
        baselines: Per model, what is added to its trees.
        is_inner: Whether a node is no leaf.
        left: The left child.
        right: The right child.
        value: What a leaf adds.
        source: Of an inner node, the number of its column among `numbers` or `positions`.
        by_level: Whether an inner node looks a level up instead of comparing a number.
        missing_left: Whether a missing number goes left.
        threshold: A number goes left up to here.
        table: Which of the `tables` of its column a node looks up.
        tables: Per categorical column, whether a level goes left, shape (nodes, positions).
    """

    def __init__(self, sets: Sequence[TreeSet]) -> None:
        self.numbers = list(dict.fromkeys((name, one.is_single) for one in sets for name in one.numeric))
        names = dict.fromkeys(name for one in sets for name in one.levels)
        self.positions = {name: _positions(sets, name) for name in names}
        trees = [one.trees.arrays for one in sets]
        nodes = np.array([len(arrays["feature"]) for arrays in trees])
        starts = np.cumsum(nodes) - nodes
        offset = np.repeat(starts, nodes)
        self.roots = np.concatenate([arrays["root"] + start for arrays, start in zip(trees, starts, strict=True)])
        ends = np.cumsum([len(arrays["root"]) for arrays in trees])
        self.models = [slice(end - len(arrays["root"]), end) for arrays, end in zip(trees, ends, strict=True)]
        self.baselines = [float(arrays["baseline"]) for arrays in trees]
        self.is_inner = np.concatenate([arrays["feature"] >= 0 for arrays in trees])
        self.left = np.where(self.is_inner, np.concatenate([arrays["left"] for arrays in trees]) + offset, 0)
        self.right = np.where(self.is_inner, np.concatenate([arrays["right"] for arrays in trees]) + offset, 0)
        self.value = np.concatenate([arrays["value"] for arrays in trees]).astype(np.float64)
        self.threshold = np.concatenate([arrays["threshold"] for arrays in trees]).astype(np.float64)
        self.by_level = np.concatenate([arrays["table"] >= 0 for arrays in trees]) & self.is_inner
        self.source = np.concatenate([self._sources(one) for one in sets])
        self.missing_left = np.concatenate([_missing_left(one) for one in sets])
        self.table = np.zeros(len(self.source), np.intp)
        self.tables = [self._joined_tables(sets, starts, name) for name in names]

    def _sources(self, one: TreeSet) -> NDArray[np.intp]:
        """Return the numbers of the columns that a model's inner nodes are about, 0 for leaves."""
        numbers = [self.numbers.index((name, one.is_single)) for name in one.numeric]
        texts = [list(self.positions).index(name) for name in one.levels]
        own = np.array([*numbers, *texts], np.intp)
        return own[np.maximum(one.trees.arrays["feature"], 0)] if len(own) else own

    def _joined_tables(self, sets: Sequence[TreeSet], starts: NDArray[np.intp], name: str) -> NDArray[np.bool_]:
        """Return the tables of a column by the positions of all models, and number them in `table`."""
        joined = [np.zeros((0, len(self.positions[name]) + 1), bool)]
        for one, start in zip(sets, starts.tolist(), strict=True):
            if name not in one.levels:
                continue
            arrays, feature = one.trees.arrays, len(one.numeric) + list(one.levels).index(name)
            nodes = np.flatnonzero((arrays["feature"] == feature) & (arrays["table"] >= 0))
            own = [one.levels[name].get(level, one.unknown[name]) for level in self.positions[name]]
            self.table[start + nodes] = sum(map(len, joined)) + np.arange(len(nodes))
            joined.append(arrays["tables"][arrays["table"][nodes]][:, [*own, one.unknown[name]]])
        return np.concatenate(joined)

    @cached_property
    def cuts(self) -> list[Floats]:
        """The thresholds of each number, sorted."""
        compares = self.is_inner & ~self.by_level
        return [np.unique(self.threshold[compares & (self.source == one)]) for one in range(len(self.numbers))]

    @cached_property
    def rank(self) -> NDArray[np.unsignedinteger[Any]]:
        """The rank of each node's threshold among those of its number, 0 for other nodes.

        A number is at most the threshold where no more thresholds lie below it than the rank says.
        """
        kind = np.min_scalar_type(max(map(len, self.cuts), default=0))
        rank, compares = np.zeros(len(self.source), kind), self.is_inner & ~self.by_level
        for number, cuts in enumerate(self.cuts):
            own = compares & (self.source == number)
            rank[own] = np.searchsorted(cuts, self.threshold[own])
        return rank

    @cached_property
    def height(self) -> NDArray[np.intp]:
        """The height of each node: 0 for a leaf, and one more than the higher of its children for others."""
        levels, level = list[NDArray[np.intp]](), self.roots
        while len(level):
            levels.append(level)
            inner = level[self.is_inner[level]]
            level = np.concatenate([self.left[inner], self.right[inner]])
        height = np.zeros(len(self.source), np.intp)
        for level in reversed(levels):
            inner = level[self.is_inner[level]]
            height[inner] = 1 + np.maximum(height[self.left[inner]], height[self.right[inner]])
        return height

    @cached_property
    def tree(self) -> NDArray[np.intp]:
        """The tree of each node: its nodes come after its root and before the next one."""
        return np.searchsorted(self.roots, np.arange(len(self.source)), side="right") - 1

    @cached_property
    def leaf(self) -> NDArray[np.unsignedinteger[Any]]:
        """The number of each leaf in its tree, 0 for other nodes, in the smallest unsigned integers."""
        numbered = np.cumsum(~self.is_inner) - 1
        number = np.where(self.is_inner, 0, numbered - self.first_leaf[self.tree])
        return number.astype(np.min_scalar_type(int(number.max(initial=0))))

    @cached_property
    def first_leaf(self) -> NDArray[np.intp]:
        """Per tree, how many leaves the trees before it have."""
        return np.asarray((np.cumsum(~self.is_inner) - ~self.is_inner)[self.roots])


def _positions(sets: Sequence[TreeSet], name: str) -> dict[str | None, int]:
    """Return the position of each level of a column that a model learnt; missing comes last."""
    learnt = dict.fromkeys(level for one in sets for level in one.levels.get(name, ()) if level is not None)
    return {level: position for position, level in enumerate([*learnt, None])}


def _missing_left(one: TreeSet) -> NDArray[np.bool_]:
    """Return whether a missing number goes left, for each node of a model: a median goes where it belongs."""
    arrays = one.trees.arrays
    kind = arrays["threshold"].dtype
    medians = np.array([one.medians.get(name, np.nan) for name in (*one.numeric, *one.levels)], kind)
    if not len(medians):
        return np.asarray(arrays["missing_left"])
    median = medians[np.maximum(arrays["feature"], 0)]
    return np.where(np.isnan(median), arrays["missing_left"], median <= arrays["threshold"])
