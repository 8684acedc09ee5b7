"""The trees of one model, or of all models of a blend, scored together by numpy alone.

A number becomes its rank among the thresholds of its column, once for all trees, and a level its position among those
that any model learnt.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.joint_nodes import JointNodes, TreeSet
from pipelines.candidates.portable_model import LARGEST, Columns, Floats, Levels, map_levels
from pipelines.candidates.tree_groups import Group, grouped

MOST_TOGETHER = 4_000
"""So many rows go through groups of trees; more go through one tree after the other."""

ROWS_OF_A_GROUP, NODES_OF_A_GROUP = 250, 8_000
"""The bits of so many rows and nodes are in a core's cache."""

ROWS_OF_ALL = 20
"""So few rows go through all trees as one group."""

CACHED_ROWS = 50_000
"""So many rows at a time go through a tree: a column of them is in a core's cache, and numpy's calls cost little."""

RANKED_FROM = 300
"""A column that so many nodes compare is ranked for many rows too: numpy compares small integers faster."""


class JointTrees:
    """Scores models of trees; those of a model are always added in their order, to the last bit."""

    def __init__(self, sets: Sequence[TreeSet]) -> None:
        self.nodes = JointNodes(sets)

    def log_odds(self, columns: Columns) -> Floats:
        """Return the log-odds of each model, shape (models, n)."""
        rows = len(next(iter(columns.values())))
        total = np.empty((len(self.nodes.models), rows))
        step, score = (ROWS_OF_A_GROUP, self._of_few) if rows <= MOST_TOGETHER else (CACHED_ROWS, self._of_many)
        for start in range(0, rows, step):
            block = slice(start, min(start + step, rows))
            total[:, block] = score(self._read(columns, block), self._codes(columns, block))
        return total

    def _read(self, columns: Columns, block: slice) -> Floats:
        """Return the numbers of a block of rows in the precision in which they are compared, shape (numbers, rows)."""
        read = np.empty((len(self.nodes.numbers), block.stop - block.start))
        for own, (name, is_single) in zip(read, self.nodes.numbers, strict=True):
            values = np.asarray(columns[name][block])
            own[:] = np.clip(values, -LARGEST, LARGEST).astype(np.float32) if is_single else values
        return read

    def _codes(self, columns: Columns, block: slice) -> list[NDArray[np.intp]]:
        """Return the positions of the levels of a block of rows, shape (rows,) for each column."""
        codes = []
        for name, positions in self.nodes.positions.items():
            levels = columns[name]
            part = Levels(levels.codes[block], levels.names) if isinstance(levels, Levels) else levels[block]
            codes.append(map_levels(positions, len(positions), part).astype(np.intp))
        return codes

    @cached_property
    def _whole(self) -> list[Group]:
        return list(grouped(self.nodes, len(self.nodes.source)))

    @cached_property
    def _parts(self) -> list[Group]:
        return list(grouped(self.nodes, NODES_OF_A_GROUP))

    def _of_few(self, numbers: Floats, codes: Sequence[NDArray[np.intp]]) -> Floats:
        nodes, rows = self.nodes, numbers.shape[1]
        ranks = np.empty((2, *numbers.shape), nodes.rank.dtype)
        for own, values, cuts in zip(ranks[0], numbers, nodes.cuts, strict=True):
            own[:] = np.searchsorted(cuts, values)  # a missing number comes after all thresholds and goes right
        ranks[1] = np.where(np.isnan(numbers), 0, ranks[0])
        both, groups = ranks.reshape(-1, rows), self._whole if rows <= ROWS_OF_ALL else self._parts
        leaf = np.concatenate([group.reached(both, codes) for group in groups])
        values = np.take(self._leaf_values, leaf + nodes.first_leaf[:, None])
        return np.array([self._added(model, values[trees]) for model, trees in enumerate(nodes.models)])

    @cached_property
    def _leaf_values(self) -> Floats:
        return np.asarray(self.nodes.value[~self.nodes.is_inner])

    def _added(self, model: int, values: Floats) -> Floats:
        """Return the sum of the values of a model's trees, one after the other."""
        baseline = np.full((1, values.shape[1]), self.nodes.baselines[model])
        return np.asarray(np.add.accumulate(np.concatenate([baseline, values]))[-1])

    def _of_many(self, numbers: Floats, codes: Sequence[NDArray[np.intp]]) -> Floats:
        total = np.empty((len(self.nodes.models), numbers.shape[1]))
        reached, roots, values = self._leaf_of(self._goes_left(numbers, codes)), self.nodes.roots, self._leaf_values
        ends = [*self.nodes.first_leaf[1:].tolist(), len(values)]
        own = [values[start:end] for start, end in zip(self.nodes.first_leaf.tolist(), ends, strict=True)]
        for model, trees in enumerate(self.nodes.models):
            total[model] = self.nodes.baselines[model]
            for root, of_leaves in zip(roots[trees].tolist(), own[trees], strict=True):
                total[model] += np.take(of_leaves, reached(root))
        return total

    def _leaf_of(self, goes_left: Callable[[int], NDArray[np.bool_]]) -> Callable[[int], Any]:
        """Return a function from a node to the number of the leaf that each row reaches below it.

        The number is chosen by bits, left or right at one node after the other from the leaves up: numpy takes a tenth
        of the time for it that it takes to choose values.
        """
        is_inner, left, right, kind, leaf = self._lists

        def reached(node: int) -> Any:
            if not is_inner[node]:
                return leaf[node]
            is_left = goes_left(node)
            if_left, if_right = reached(left[node]), reached(right[node])
            chosen = np.negative(is_left.view(np.uint8) if kind == np.uint8 else is_left.astype(kind))
            chosen &= if_left ^ if_right
            chosen ^= if_right
            return chosen

        return reached

    @cached_property
    def _lists(self) -> tuple[list[bool], list[int], list[int], Any, list[Any]]:
        """What `_leaf_of` asks of nodes: Python reads lists faster than arrays."""
        nodes = self.nodes
        return nodes.is_inner.tolist(), nodes.left.tolist(), nodes.right.tolist(), nodes.leaf.dtype, list(nodes.leaf)

    def _goes_left(self, numbers: Floats, codes: Sequence[NDArray[np.intp]]) -> Callable[[int], NDArray[np.bool_]]:
        """Return a function from an inner node to which rows go left."""
        keys, nodes = list[tuple[Any, Any]](), self.nodes
        for values, cuts, is_ranked in zip(numbers, nodes.cuts, self._is_ranked, strict=True):
            is_missing = np.isnan(values)
            right = np.searchsorted(cuts, values).astype(nodes.rank.dtype) if is_ranked else values
            lowest = right.dtype.type(0 if is_ranked else -np.inf)
            keys.append((right, np.where(is_missing, lowest, right) if is_missing.any() else right))
        source, by_level, missing_left, bound, table = self._conditions

        def goes_left(node: int) -> NDArray[np.bool_]:
            if by_level[node]:
                return np.asarray(np.take(nodes.tables[source[node]][table[node]], codes[source[node]]))
            return np.asarray(keys[source[node]][missing_left[node]] <= bound[node])

        return goes_left

    @cached_property
    def _is_ranked(self) -> list[bool]:
        """Whether a number is ranked for many rows."""
        return [count >= RANKED_FROM for count in self._counts.tolist()]

    @cached_property
    def _counts(self) -> NDArray[np.intp]:
        """How many nodes compare each number."""
        compares = self.nodes.is_inner & ~self.nodes.by_level
        return np.bincount(self.nodes.source[compares], minlength=len(self.nodes.numbers))

    @cached_property
    def _conditions(self) -> tuple[list[int], list[bool], list[bool], list[Any], list[int]]:
        """What `_goes_left` asks of nodes: the column, whether a level of it, missing left, the bound, the table."""
        nodes = self.nodes
        is_ranked = [*self._is_ranked, False]
        source = nodes.source.tolist()
        pairs = zip(source, nodes.by_level.tolist(), nodes.rank.tolist(), nodes.threshold.tolist(), strict=True)
        bound = [rank if not by_level and is_ranked[one] else threshold for one, by_level, rank, threshold in pairs]
        return source, nodes.by_level.tolist(), nodes.missing_left.tolist(), bound, nodes.table.tolist()
