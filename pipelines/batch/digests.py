"""Ids of decisions for many rows at once, and the numbers that stand for them where repeats are looked for."""

import hashlib

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.score_log import LogKey, id_prefix

HEX = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), dtype=np.uint16)
"""The two digits of each byte."""

AT_ONCE = 2048

DIGITS = 32
"""Hexadecimal digits of an id."""


def digests_of(key: LogKey, model_hash: str, application_ids: pa.Array) -> NDArray[np.uint8]:
    """Return the first 16 bytes of the SHA-256 of what each decision is about, shape (n, 16).

    Most of what is hashed is the same for all: its state is copied for each row.
    """
    begun, ids = hashlib.sha256(id_prefix(key, model_hash).encode()).copy, application_ids.cast(pa.binary())
    digests = np.empty((len(ids), DIGITS // 2), dtype=np.uint8)
    for start in range(0, len(ids), AT_ONCE):  # what is small stays in the processor's cache
        found: list[bytes] = []
        for one in ids.slice(start, AT_ONCE).to_pylist():
            digest = begun()
            digest.update(one)
            found.append(digest.digest())
        digests[start : start + len(found)] = np.frombuffer(b"".join(found), np.uint8).reshape(-1, 32)[:, : DIGITS // 2]
    return digests


def spelled_ids(digests: NDArray[np.uint8]) -> pa.Array:
    """Return ids of decisions, the same as `decision_ids` returns."""
    offsets = np.arange(0, DIGITS * len(digests) + 1, DIGITS, dtype=np.int32)
    return pa.StringArray.from_buffers(len(digests), pa.py_buffer(offsets), pa.py_buffer(np.take(HEX, digests)))


def numbers_of_digests(digests: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the first 8 bytes of each digest as a number: in the order of the ids themselves."""
    return np.ascontiguousarray(digests[:, :8]).view(">u8").ravel().astype(np.uint64)


def numbers_of_ids(ids: pa.Array) -> NDArray[np.uint64]:
    """Return the same numbers, given ids as the log spells them."""
    text = np.frombuffer(b"".join(ids.cast(pa.binary()).to_pylist()), dtype=np.uint8).reshape(-1, DIGITS)[:, :16]
    digits = ((text & 15) + 9 * (text >> 6)).astype(np.uint8)
    return numbers_of_digests((digits[:, 0::2] << 4 | digits[:, 1::2]).astype(np.uint8))
