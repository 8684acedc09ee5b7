"""The blocks of a sample, and its rows without each of them: what the models of an average are fitted on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pipelines.candidates.sample import Sample

Rows = NDArray[np.intp]

RANDOM_BLOCKS = 5
"""So many blocks are drawn for a sample that has none."""

LARGEST_BLOCK = 0.5
"""A block with a larger share of the rows is in every model: too little would be left to learn from."""

IN_EVERY_MODEL = -1
"""The block of rows that are never left out."""


def samples_without_a_block(sample: "Sample", *, seed: int) -> Iterator["Sample"]:
    """Yield the rows of each model of an average: all but those of one block; all rows where there is one block."""
    blocks = random_blocks(sample.bad, seed) if sample.blocks is None else sample.blocks
    kept = [blocks != block for block in np.unique(blocks[blocks != IN_EVERY_MODEL])]
    kept = [rows for rows in kept if rows.mean() >= 1 - LARGEST_BLOCK and len(np.unique(sample.bad[rows])) == 2]
    if len(kept) < 2:
        yield sample
    else:
        yield from (sample.take(np.flatnonzero(rows)) for rows in kept)


def random_blocks(bad: NDArray[np.int8], seed: int) -> Rows:
    """Return blocks of about equal size, shape (n,), each with its share of the bads; drawn by the seed."""
    generator = np.random.default_rng(seed)
    order = np.lexsort((generator.random(len(bad)), bad))
    blocks = np.empty(len(bad), np.intp)
    blocks[order] = np.arange(len(bad)) % RANDOM_BLOCKS
    return blocks


def smallest_blocks(blocks: Rows, number: int) -> tuple[Rows, Rows]:
    """Return the smallest blocks that are left out of a model, and how many rows each has."""
    left_out, sizes = np.unique(blocks[blocks != IN_EVERY_MODEL], return_counts=True)
    smallest = np.argsort(sizes, kind="stable")[:number]
    return left_out[smallest], sizes[smallest]
