"""Where each customer's row lies: keys of all ids in order, searched on disk without being read into memory."""

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from pipelines.atomic import scratch_folder

INDEX = "_index"
KEYS, PLACES = "keys.npy", "places.npy"

KEYS_AT_ONCE = 4_000_000
"""So many are put in order in memory at a time."""

ROW_BITS = 32

Keys = NDArray[np.int64]


def keys_of(ids: pa.Array) -> Keys:
    """Return a 64-bit key of each customer id: integers are their own, of text the head of its BLAKE2 digest.

    >>> keys_of(pa.array([7, -1])).tolist()
    [7, -1]
    """
    if pa.types.is_integer(ids.type):
        return np.asarray(ids.cast(pa.int64()).to_numpy(zero_copy_only=False))
    return np.array([_digest(one) for one in ids.to_pylist()], np.int64)


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


def write_index(folder: Path) -> int:
    """Write the index of a book's folder anew from its Parquet files, whole, and return the number of customers.

    To be called again when rows of the files were removed. It holds as much of an id as `keys_of` does.
    """
    files = bucket_paths(folder)
    counts = [pq.read_metadata(file).num_rows for file in files]
    with scratch_folder(folder) as scratch:
        unsorted = [open_memmap(scratch / name, "w+", np.int64, (sum(counts),)) for name in ("keys", "places")]
        ends = np.cumsum([0, *counts])
        for number, file in enumerate(files):
            _take_bucket(number, file, *(array[ends[number] : ends[number + 1]] for array in unsorted))
        made = scratch / INDEX
        made.mkdir()
        _merge(unsorted[0], unsorted[1], ends, made)
        if (folder / INDEX).exists():
            (folder / INDEX).replace(scratch / "earlier")
        made.replace(folder / INDEX)
    return sum(counts)


def bucket_paths(folder: Path) -> list[Path]:
    """Return the Parquet files of a book, in the order in which places number them."""
    return sorted(folder.glob("*.parquet"))


def _take_bucket(number: int, file: Path, keys: Keys, places: Keys) -> None:
    found = keys_of(pq.read_table(file, columns=["customer_id"])["customer_id"].combine_chunks())
    order = np.argsort(found, kind="stable")
    keys[:], places[:] = found[order], (number << ROW_BITS) + order


def _merge(keys: Keys, places: Keys, ends: Keys, into: Path) -> None:
    """Merge the buckets, each in order, range by range of keys."""
    merged = [open_memmap(into / name, "w+", np.int64, keys.shape) for name in (KEYS, PLACES)]
    done = 0
    for rows in _ranges(keys, ends):
        order = np.argsort(keys[rows], kind="stable")
        for array, source in zip(merged, (keys, places), strict=True):
            array[done : done + len(rows)] = source[rows[order]]
        done += len(rows)
    for array in merged:
        array.flush()


def _ranges(keys: Keys, ends: Keys) -> Iterator[NDArray[np.intp]]:
    """Yield the rows of one range of keys after the other, about KEYS_AT_ONCE in each."""
    step = max(len(keys) // 100_000, 1)
    sample = np.sort(keys[::step])
    limits = sample[:: max(KEYS_AT_ONCE // step, 1)][1:]
    buckets = list(pairwise(ends.tolist()))
    starts = ends[:-1].copy()
    for limit in [*limits.tolist(), None]:
        stops = [high if limit is None else low + np.searchsorted(keys[low:high], limit) for low, high in buckets]
        yield np.concatenate([np.arange(0), *map(np.arange, starts, stops)])
        starts = np.array(stops, np.int64)


class CustomerIndex:
    """The index of a book, opened: it stays on disk, and only the pages that a search touches come into memory."""

    def __init__(self, folder: Path) -> None:
        self._keys, self._places = (np.load(folder / INDEX / name, mmap_mode="r") for name in (KEYS, PLACES))

    def __len__(self) -> int:
        return len(self._keys)

    def places(self, customer_id: int | str) -> list[tuple[int, int]]:
        """Return the file and row of an id's key: none, one, or very rarely another's too where ids are text."""
        key = customer_id if isinstance(customer_id, int) else _digest(customer_id)
        first, last = (int(np.searchsorted(self._keys, key, side)) for side in ("left", "right"))
        found = self._places[first:last].tolist()
        return [(place >> ROW_BITS, place & ((1 << ROW_BITS) - 1)) for place in found]
