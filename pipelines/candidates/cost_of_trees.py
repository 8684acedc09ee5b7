"""What scoring a row costs by the size of a model of trees."""

import numpy as np

from pipelines.candidates.array_trees import ArrayTrees
from pipelines.candidates.joint_trees import RANKED_FROM


def cost_of_trees(trees: ArrayTrees, columns: int) -> float:
    """Return the microseconds that scoring a row of a large batch takes on one core (see `Family.cost`).

    Every node compares every row: its rank, which each row is given once, or the number itself where few nodes compare
    it; or it looks its level up.
    """
    arrays = trees.arrays
    is_inner, by_level = arrays["feature"] >= 0, arrays["table"] >= 0
    counts = np.bincount(arrays["feature"][is_inner & ~by_level])
    is_ranked = counts >= RANKED_FROM
    leaves = np.add.reduceat(~is_inner, arrays["root"])
    choosing = 0.0 if leaves.max() <= np.iinfo(np.uint8).max + 1 else 0.00014  # wider numbers of leaves
    return float(
        0.00022 * counts[is_ranked].sum()
        + 0.05 * is_ranked.sum()
        + 0.00037 * counts[~is_ranked].sum()
        + choosing * is_inner.sum()
        + 0.0008 * (is_inner & by_level).sum()
        + 0.001 * len(arrays["root"])
        + 0.0015 * columns
    )
