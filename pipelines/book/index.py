"""The index of a book: sorted keys of all customer ids, searched on disk without reading them into memory."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.storage.atomic_files import scratch_folder, whole_file

INDEX = "_index.npy"
"""Two rows: sorted keys, and the position of each. Readers of Parquet folders skip names with an underscore."""

KEYS_AT_ONCE = 4_000_000
"""Keys that are sorted in memory at a time."""

SAMPLED = 100_000
"""Least size of the sample of keys that divides them into ranges."""

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
    """Write the index of a book's folder from its Parquet files and return the number of customers.

    Call it again when rows of the files were removed.
    """
    with scratch_folder(folder) as scratch, whole_file(folder / INDEX) as temporary:
        parts = _gather(bucket_paths(folder), scratch / INDEX)
        _merge(parts, scratch / INDEX, temporary)
    return parts.ends[-1]


def bucket_paths(folder: Path) -> list[Path]:
    """Return the Parquet files of a book in order; positions have their numbers."""
    return sorted(folder.glob("*.parquet"))


@dataclass(frozen=True)
class _Parts:
    """The keys and positions of all buckets, sorted within each bucket."""

    ends: list[int]
    """Where each bucket begins, and where the last one ends."""
    sample: Keys
    """A sorted sample of the keys."""


def _gather(files: Sequence[Path], into: Path) -> _Parts:
    ends = [0, *np.cumsum([pq.read_metadata(file).num_rows for file in files]).tolist()]
    step, sample = ends[-1] // SAMPLED + 1, []
    with _two_rows(into, ends[-1]) as (keys, positions):
        for number, file in enumerate(files):
            keys_of_file = keys_of(pq.read_table(file, columns=["customer_id"])["customer_id"].combine_chunks())
            order = np.argsort(keys_of_file, kind="stable")
            keys_of_file[order].tofile(keys)
            ((number << ROW_BITS) + order).tofile(positions)
            sample.append(keys_of_file[order][::step])
    return _Parts(ends, np.sort(np.concatenate(sample)))


def _merge(parts: _Parts, source: Path, into: Path) -> None:
    """Merge the buckets, one range of keys after the other."""
    length, step = parts.ends[-1], parts.ends[-1] // SAMPLED + 1
    limits: list[int | None] = [*parts.sample[:: KEYS_AT_ONCE // step + 1][1:].tolist(), None]
    starts = parts.ends[:-1]
    with _two_rows(into, length) as (all_keys, all_places):
        for limit in limits if length else ():
            keys, positions = np.load(source, mmap_mode="r")  # opened again: frees the pages of the last range
            stops = [
                high if limit is None else low + int(np.searchsorted(keys[low:high], limit))
                for low, high in pairwise(parts.ends)
            ]
            slices = [slice(start, stop) for start, stop in zip(starts, stops, strict=True)]
            keys_in_range = np.concatenate([keys[one] for one in slices])
            order = np.argsort(keys_in_range, kind="stable")
            keys_in_range[order].tofile(all_keys)
            np.concatenate([positions[one] for one in slices])[order].tofile(all_places)
            starts = stops


@contextmanager
def _two_rows(path: Path, length: int) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Yield the two rows of an array of 64-bit integers of that length, as files to be written in parts."""
    kind = np.lib.format.dtype_to_descr(np.dtype(np.int64))
    with path.open("wb") as first:
        header = {"descr": kind, "fortran_order": False, "shape": (2, length)}
        np.lib.format.write_array_header_1_0(first, header)
        first.flush()
        with path.open("r+b") as second:
            second.seek(first.tell() + 8 * length)
            yield first, second


class CustomerIndex:
    """The index of a book; it stays on disk, and a search reads only the pages that it touches."""

    def __init__(self, folder: Path) -> None:
        self._keys, self._places = np.load(folder / INDEX, mmap_mode="r")

    def __len__(self) -> int:
        return len(self._keys)

    def positions(self, customer_id: int | str) -> list[tuple[int, int]]:
        """Return the file and row of an id's key: none, one, or very rarely another's too where ids are text."""
        key = customer_id if isinstance(customer_id, int) else _digest(customer_id)
        first, last = (int(np.searchsorted(self._keys, key, side)) for side in ("left", "right"))
        positions = self._places[first:last].tolist()
        return [(position >> ROW_BITS, position & ((1 << ROW_BITS) - 1)) for position in positions]
