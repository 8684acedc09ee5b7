"""Which ids occur in more than one part, or were logged before: by the numbers that stand for decisions.

A number is the first 64 bits of a decision's id, itself a hash: among 100 million decisions two different ones share it
with a probability of 3 in 10,000. Then one of them would be set aside as repeated.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.batch.digests import numbers_of_ids
from pipelines.batch.part import Elsewhere

AT_ONCE = 4_000_000
"""About so many numbers are compared at a time."""

Numbers = NDArray[np.uint64]


def write_known(files: Sequence[Path], place: Path) -> None:
    """Write the numbers of all decisions of some files of the log in order, as an array of numpy on disk."""
    rows = sum(pq.read_metadata(file).num_rows for file in files)
    known = np.lib.format.open_memmap(place, mode="w+", dtype=np.uint64, shape=(rows,))
    done = 0
    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(AT_ONCE, columns=["decision_id"]):
            found = numbers_of_ids(batch.column(0))
            known[done : done + len(found)] = found
            done += len(found)
    known.sort()
    known.flush()


def find_elsewhere(ours: Sequence[Path], others: Sequence[Path]) -> dict[Path, Elsewhere]:
    """Return what each of our parts must leave to another one; where nothing repeats, as usual, that is nothing.

    `ours` are the sorted numbers of the parts of an input, in order: of parts that share a number the first keeps it.
    `others` are those of other batches, which come before all of ours.
    """
    files = [*others, *ours]
    found = [_later(numbers, owners) for numbers, owners in _ranges([np.load(file, mmap_mode="r") for file in files])]
    numbers, owners, firsts = (np.concatenate(some) for some in zip(*found, strict=True))
    is_logged = firsts < len(others)
    return {
        files[owner]: Elsewhere(
            repeated=np.sort(numbers[(owners == owner) & ~is_logged]),
            logged=np.sort(numbers[(owners == owner) & is_logged]),
        )
        for owner in np.unique(owners[owners >= len(others)]).tolist()
    }


def _ranges(parts: Sequence[Numbers]) -> Iterator[tuple[Numbers, NDArray[np.intp]]]:
    """Yield the numbers of all parts, and which part holds each, one range of numbers after the other."""
    pieces = max(sum(map(len, parts)) // AT_ONCE, 1)
    edges = np.array([piece * 2**64 // pieces for piece in range(1, pieces)], dtype=np.uint64)
    places = [[0, *np.searchsorted(part, edges).tolist(), len(part)] for part in parts]
    for piece in range(pieces):
        some = [part[place[piece] : place[piece + 1]] for part, place in zip(parts, places, strict=True)]
        yield (
            np.concatenate([np.empty(0, np.uint64), *some]),
            np.repeat(np.arange(len(some)), [len(one) for one in some]),
        )


def _later(numbers: Numbers, owners: NDArray[np.intp]) -> tuple[Numbers, NDArray[np.intp], NDArray[np.intp]]:
    """Return of each number that occurred before: itself, which part holds it again, and which part held it first."""
    ordered = np.sort(numbers)
    if not (ordered[1:] == ordered[:-1]).any():
        return numbers[:0], owners[:0], owners[:0]
    order = np.argsort(numbers, kind="stable")
    numbers, owners = numbers[order], owners[order]
    is_first = np.concatenate([[True], numbers[1:] != numbers[:-1]])
    first = owners[np.maximum.accumulate(np.where(is_first, np.arange(len(numbers)), 0))]
    return numbers[~is_first], owners[~is_first], first[~is_first]
