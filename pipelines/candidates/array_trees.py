"""Boosted trees as plain arrays, which numpy alone explains: no library of trees is needed for it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Floats
from pipelines.candidates.tree_shapley import shares_of_conditions, shares_of_patterns

FEW_ROWS = 200
"""So few rows are explained one after the other, by all leaves at once; more by one leaf after the other."""

Steps = tuple[tuple[int, bool], ...]
"""Nodes on the way to a leaf, and whether the way goes on to the left child."""


@dataclass(frozen=True)
class Leaf:
    """A leaf: its value and, by feature on the way to it, the steps and the share of rows that take all of them."""

    value: float
    features: list[int]
    steps: list[Steps]
    expected: Floats


@dataclass(frozen=True)
class Conditions:
    """The conditions of leaves that have equally many: one row for each condition, one column for each leaf.

    `steps` are rows of `nodes` and `is_left`, each condition's steps in a row from `starts`; `places` are the positions
    of the conditions among those of all leaves.
    """

    nodes: NDArray[np.intp]
    is_left: NDArray[np.bool_]
    starts: NDArray[np.intp]
    expected: Floats
    values: Floats
    places: NDArray[np.intp]


class ArrayTrees:
    """Trees whose values are summed: arrays with one entry for each node.

    `root` holds the first node of each tree. A node has a `feature` (-1 for a leaf with its `value`), a `left` and a
    `right` child; a number goes left up to the node's `threshold`, a missing one where `missing_left` is set, and a
    level as row `table` of `tables` has it. `count` is the weight of the rows that a node was learnt from, `baseline`
    what is added to the values.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.arrays = arrays

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load the arrays."""
        with np.load(path, allow_pickle=False) as stored:
            return cls({name: stored[name] for name in stored.files})

    def save(self, path: Path) -> None:
        """Write the arrays."""
        np.savez_compressed(path, allow_pickle=False, **self.arrays)

    def _is_left(self, node: NDArray[np.intp], x: NDArray[Any]) -> NDArray[np.bool_]:
        """Return whether values go left at nodes, both of one shape; anything for leaves."""
        arrays = self.arrays
        threshold, table = arrays["threshold"][node], arrays["table"][node]
        # What compares false, a missing number, goes left where the node says so.
        is_left = np.where(arrays["missing_left"][node], ~(x > threshold), x <= threshold)
        if (by_level := table >= 0).any():
            is_left[by_level] = arrays["tables"][table[by_level], x[by_level].astype(np.intp)]
        return np.asarray(is_left)

    def _goes_left(self, inputs: Sequence[NDArray[Any]]) -> Callable[[int], NDArray[np.bool_]]:
        """Return a function from an inner node to which rows go left."""
        names = ("feature", "threshold", "table", "missing_left")
        feature, threshold, table, missing_left = (self.arrays[name].tolist() for name in names)
        tables = self.arrays["tables"]

        def goes_left(node: int) -> NDArray[np.bool_]:
            x = inputs[feature[node]]
            if table[node] >= 0:
                return np.asarray(np.take(tables[table[node]], x))
            if missing_left[node]:
                return np.asarray(~(x > threshold[node]))  # true for missing values
            return np.asarray(x <= threshold[node])

        return goes_left

    def contributions(self, inputs: Sequence[NDArray[Any]]) -> tuple[float, Floats]:
        """Return a base and exact Shapley values, shape (features, n): path-dependent TreeSHAP (Lundberg et al., 2018).

        What is expected where a feature is unknown follows the rows that each branch was learnt from. Raises ValueError
        when the arrays have no counts of rows.
        """
        base = self._base
        if len(inputs[0]) <= FEW_ROWS:
            rows = np.column_stack(inputs)
            return base, np.array([self._explained(row) for row in rows]).reshape(len(rows), len(inputs)).T
        added, goes_left = np.zeros((len(inputs), len(inputs[0]))), self._goes_left(inputs)
        for leaves in self._leaves:
            is_left = {node: goes_left(node) for leaf in leaves for steps in leaf.steps for node, _ in steps}
            sides = {(node, side): one if side else ~one for node, one in is_left.items() for side in (True, False)}
            for leaf in leaves:
                for feature, share in zip(leaf.features, _shares(leaf, sides), strict=True):
                    added[feature] += share
        return base, added

    def _explained(self, row: NDArray[Any]) -> Floats:
        """Return the Shapley values of one row, added in the order of the leaves like those of many."""
        features, groups = self._conditions
        is_left = self._is_left(np.arange(len(self.arrays["feature"])), row[self.arrays["feature"]])
        shares = np.empty(len(features))
        for group in groups:
            taken = is_left[group.nodes] == group.is_left
            is_met = np.logical_and.reduceat(taken, group.starts).reshape(group.expected.shape)
            shares[group.places] = group.values * shares_of_conditions(is_met, group.expected)
        return np.asarray(np.bincount(features, weights=shares, minlength=len(row)), np.float64)

    @cached_property
    def _base(self) -> float:
        """The value that is expected where no feature is known."""
        values = (leaf.value * float(np.prod(leaf.expected)) for tree in self._leaves for leaf in tree)
        return sum(values, float(self.arrays["baseline"]))

    @cached_property
    def _leaves(self) -> list[list[Leaf]]:
        """The leaves of each tree, from left to right."""
        if "count" not in self.arrays:
            raise ValueError("trees.npz has no row counts of its nodes, which contributions need; fit the model again")
        names = ("feature", "left", "right", "value", "count")
        feature, left, right, value, count = (self.arrays[name].tolist() for name in names)

        def below(node: int, path: dict[int, tuple[float, Steps]]) -> Iterator[Leaf]:
            if feature[node] < 0:
                shares, steps = zip(*path.values(), strict=True) if path else ((), ())
                yield Leaf(value[node], list(path), list(steps), np.array(shares))
                return
            share, steps = path.get(feature[node], (1.0, ()))
            for child, is_left in ((left[node], True), (right[node], False)):
                step = (share * count[child] / count[node], (*steps, (node, is_left)))
                yield from below(child, path | {feature[node]: step})

        return [list(below(root, {})) for root in self.arrays["root"].tolist()]

    @cached_property
    def _conditions(self) -> tuple[NDArray[np.intp], list[Conditions]]:
        """The features of all conditions, leaf by leaf, and the conditions grouped by how many their leaf has."""
        leaves = [leaf for tree in self._leaves for leaf in tree]
        sizes = np.array([len(leaf.features) for leaf in leaves])
        first, groups = np.cumsum(sizes) - sizes, []
        for size in np.unique(sizes[sizes > 0]).tolist():
            those = np.flatnonzero(sizes == size).tolist()
            steps = [leaves[number].steps[condition] for condition in range(size) for number in those]
            lengths = np.array([len(one) for one in steps])
            nodes, is_left = zip(*(step for one in steps for step in one), strict=True)
            groups.append(
                Conditions(
                    np.array(nodes),
                    np.array(is_left),
                    np.cumsum(lengths) - lengths,
                    np.column_stack([leaves[number].expected for number in those]),
                    np.array([leaves[number].value for number in those]),
                    first[those] + np.arange(size)[:, None],
                )
            )
        return np.array([feature for leaf in leaves for feature in leaf.features], np.intp), groups


def _shares(leaf: Leaf, sides: Mapping[tuple[int, bool], NDArray[np.bool_]]) -> Iterator[Floats]:
    """Yield what each condition of a leaf adds to the log-odds of many rows."""
    is_met = [np.logical_and.reduce([sides[step] for step in steps]) for steps in leaf.steps]
    if not is_met:
        return
    if 2 ** len(is_met) >= len(is_met[0]):
        yield from leaf.value * shares_of_conditions(np.array(is_met), leaf.expected[:, None])
        return
    pattern = np.zeros(len(is_met[0]), np.min_scalar_type(2 ** len(is_met) - 1))
    for bit, met in enumerate(is_met):
        pattern |= met.astype(pattern.dtype) << bit
    for of_patterns in leaf.value * shares_of_patterns(leaf.expected):
        yield np.take(of_patterns, pattern)


def joined(trees: Sequence[Mapping[str, NDArray[Any]]], baseline: float) -> dict[str, NDArray[Any]]:
    """Return the arrays of several trees as those of all: each has its root first, and rows of `tables` of its own."""
    sizes, tables = np.array([[len(tree["feature"]), len(tree["tables"])] for tree in trees]).T
    arrays = {name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]}
    starts, first_tables = np.cumsum(sizes) - sizes, np.repeat(np.cumsum(tables) - tables, sizes)
    offsets = np.repeat(starts, sizes)
    return arrays | {
        "root": starts,
        "left": (arrays["left"] + offsets).astype(np.int32),
        "right": (arrays["right"] + offsets).astype(np.int32),
        "table": np.where(arrays["table"] < 0, -1, arrays["table"] + first_tables).astype(np.int32),
        "baseline": np.array(baseline),
    }
