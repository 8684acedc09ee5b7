"""A few rows through many trees at once: as few calls of numpy as one tree takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.joint_nodes import JointNodes


@dataclass(frozen=True)
class Group:
    """Trees whose nodes are in the order of their heights: inner ones from the lowest to the highest, then leaves.

    Attributes:
        compared: The positions of nodes that compare numbers, None where all inner ones do.
        source: Per such node, its row of the ranks.
        rank: The rank of its threshold, shape (nodes, 1).
        looked_up: By column of texts, the positions of nodes that look its levels up, and their tables.
        spans: From and to which position the inner nodes of a height are.
        left: Per inner node, the position of its left child.
        right: Of its right child.
        leaves: The numbers of the leaves, shape (leaves, 1).
        roots: The positions of the roots.
    """

    compared: NDArray[np.intp] | None
    source: NDArray[np.intp]
    rank: NDArray[np.unsignedinteger[Any]]
    looked_up: Sequence[tuple[int, NDArray[np.intp], NDArray[np.bool_]]]
    spans: Sequence[tuple[int, int]]
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    leaves: NDArray[np.unsignedinteger[Any]]
    roots: NDArray[np.intp]

    def reached(
        self, ranks: NDArray[np.unsignedinteger[Any]], codes: Sequence[NDArray[np.intp]]
    ) -> NDArray[np.unsignedinteger[Any]]:
        """Return the number of the leaf that each row reaches in each tree, shape (trees, rows).

        `ranks` are those of the numbers where a missing one goes right, then those where it goes left, and `codes` the
        positions of the levels. A node chooses between the numbers of its children's leaves by bits.
        """
        inner, rows, kind = len(self.left), ranks.shape[1], self.leaves.dtype
        goes_left = ranks[self.source] <= self.rank
        if self.compared is not None:
            numbers, goes_left = goes_left, np.empty((inner, rows), bool)
            goes_left[self.compared] = numbers
            for text, positions, tables in self.looked_up:
                goes_left[positions] = np.take(tables, codes[text], axis=1)
        mask = np.negative(goes_left.view(np.uint8) if kind == np.uint8 else goes_left.astype(kind))
        leaf = np.empty((inner + len(self.leaves), rows), kind)
        leaf[inner:] = self.leaves
        for start, end in self.spans:
            chosen, other = leaf.take(self.left[start:end], axis=0), leaf.take(self.right[start:end], axis=0)
            chosen ^= other
            chosen &= mask[start:end]
            np.bitwise_xor(chosen, other, out=leaf[start:end])
        return np.asarray(leaf[self.roots])


def grouped(nodes: JointNodes, most: int) -> Iterator[Group]:
    """Yield all trees, one after the other, in groups of about so many nodes."""
    sizes = np.diff(np.append(nodes.roots, len(nodes.source)))
    number = (np.cumsum(sizes) - 1) // most
    for group in np.unique(number):
        yield _group(nodes, np.flatnonzero(number == group), sizes)


def _group(nodes: JointNodes, trees: NDArray[np.intp], sizes: NDArray[np.intp]) -> Group:
    first, last = nodes.roots[trees[0]], nodes.roots[trees[-1]] + sizes[trees[-1]]
    own = np.arange(first, last)
    own = own[np.argsort(nodes.height[first:last], kind="stable")]
    leaves, inner = own[~nodes.is_inner[own]], own[nodes.is_inner[own]]
    position = np.empty(last - first, np.intp)
    position[np.concatenate([inner, leaves]) - first] = np.arange(len(own))
    by_level, height = nodes.by_level[inner], nodes.height[inner]
    compared = inner[~by_level]
    ends = np.flatnonzero(np.diff(height, append=-1)) + 1
    looked_up = []
    for text, tables in enumerate(nodes.tables):
        places = np.flatnonzero(by_level & (nodes.source[inner] == text))
        if len(places):
            looked_up.append((text, places, tables[nodes.table[inner[places]]]))
    return Group(
        compared=np.flatnonzero(~by_level) if looked_up else None,
        source=nodes.source[compared] + len(nodes.numbers) * nodes.missing_left[compared],
        rank=nodes.rank[compared][:, None],
        looked_up=looked_up,
        spans=list(zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)) if len(inner) else [],
        left=position[nodes.left[inner] - first],
        right=position[nodes.right[inner] - first],
        leaves=nodes.leaf[leaves][:, None],
        roots=position[nodes.roots[trees] - first],
    )
