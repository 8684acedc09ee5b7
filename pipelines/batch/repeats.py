"""Finds ids that occur in more than one part or were logged before, by 64-bit numbers of decisions.

A number is the first 64 bits of a decision's id, itself a hash: among 100 million decisions two different ones share it
with a probability of 3 in 10,000; one of them would then be set aside as repeated.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.batch.selection import Elsewhere

AT_ONCE = 4_000_000
"""About so many numbers are compared at a time."""

Numbers = NDArray[np.uint64]
Places = Sequence[tuple[int, int]]
"""Where some numbers of each part begin, and before where they end."""


def write_sorted(chunks: Iterable[Numbers], path: Path) -> Path | None:
    """Write numbers to a file in ascending order and return it, None without any; they need not fit into memory."""
    with path.open("wb") as file:
        for numbers in chunks:
            numbers.tofile(file)
    if not path.stat().st_size:
        return None
    everything = np.memmap(path, dtype=np.uint64, mode="r+")
    everything.sort()
    everything.flush()
    return path


def find_elsewhere(ours: Sequence[Path], others: Sequence[Path]) -> dict[Path, Elsewhere]:
    """Return what each of our parts must leave to another one; where nothing repeats, as usual, that is nothing.

    `ours` are the sorted numbers of the parts of an input, in order: of parts that share a number the first keeps it.
    `others` are those of other batches, which come before all of ours.
    """
    files = [*others, *ours]
    repeats = [_later(files, places) for places in _ranges(files) if _holds_repeats(files, places)]
    if not repeats:
        return {}
    numbers, owners, firsts = (np.concatenate(some) for some in zip(*repeats, strict=True))
    is_logged = firsts < len(others)
    return {
        files[owner]: Elsewhere(
            repeated=np.sort(numbers[(owners == owner) & ~is_logged]),
            logged=np.sort(numbers[(owners == owner) & is_logged]),
        )
        for owner in np.unique(owners[owners >= len(others)]).tolist()
    }


def _ranges(files: Sequence[Path]) -> list[Places]:
    """Return for each range of numbers where those of each part begin and end.

    Files are mapped again for each range, because a mapped file keeps in memory all that was read of it.
    """
    sizes = [len(np.load(file, mmap_mode="r")) for file in files]
    pieces = max(sum(sizes) // AT_ONCE, 1)
    edges = np.array([piece * 2**64 // pieces for piece in range(1, pieces)], dtype=np.uint64)
    cuts = [np.searchsorted(np.load(file, mmap_mode="r"), edges).tolist() if pieces > 1 else [] for file in files]
    bounds = [[0, *cut, size] for cut, size in zip(cuts, sizes, strict=True)]
    return [[(bound[piece], bound[piece + 1]) for bound in bounds] for piece in range(pieces)]


def _some(files: Sequence[Path], places: Places) -> Numbers:
    numbers = np.empty(sum(end - start for start, end in places), dtype=np.uint64)
    done = 0
    for file, (start, end) in zip(files, places, strict=True):
        numbers[done : done + end - start] = np.load(file, mmap_mode="r")[start:end]
        done += end - start
    return numbers


def _holds_repeats(files: Sequence[Path], places: Places) -> bool:
    numbers = _some(files, places)
    numbers.sort()
    return bool((numbers[1:] == numbers[:-1]).any())


def _later(files: Sequence[Path], places: Places) -> tuple[Numbers, NDArray[np.intp], NDArray[np.intp]]:
    """Return of each number that occurred before: itself, which part holds it again, and which part held it first."""
    numbers = _some(files, places)
    owners = np.repeat(np.arange(len(files)), [end - start for start, end in places])
    order = np.argsort(numbers, kind="stable")
    numbers, owners = numbers[order], owners[order]
    is_first = np.concatenate([[True], numbers[1:] != numbers[:-1]])
    first = owners[np.maximum.accumulate(np.where(is_first, np.arange(len(numbers)), 0))]
    return numbers[~is_first], owners[~is_first], first[~is_first]
