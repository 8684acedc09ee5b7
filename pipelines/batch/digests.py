"""Ids of decisions for many rows at once, and 64-bit numbers of them in which repeats are found."""

import hashlib
from importlib.util import find_spec

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.score_log.key import LogKey, id_prefix

HEX = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), dtype=np.uint16)
"""The two digits of each byte."""

DIGITS = 32
"""Hexadecimal digits of an id."""


def digests_of(key: LogKey, model_hash: str, application_ids: pa.Array) -> NDArray[np.uint8]:
    """Return the first 16 bytes of the SHA-256 of what each decision is about, shape (n, 16).

    DataFusion, an extra of Thinfile, takes a third of the time of hashlib.
    """
    if not len(application_ids):
        return np.empty((0, DIGITS // 2), dtype=np.uint8)
    prefix = id_prefix(key, model_hash)
    whole = in_columns(prefix, application_ids) if find_spec("datafusion") else by_rows(prefix, application_ids)
    return whole[:, : DIGITS // 2]


def in_columns(prefix: str, ids: pa.Array) -> NDArray[np.uint8]:
    """Return the SHA-256 of a prefix followed by each id, shape (n, 32), computed by DataFusion."""
    from datafusion import SessionConfig, SessionContext, col, literal
    from datafusion.functions import concat, sha256

    # One thread keeps the order of the rows: the processes are the parallelism. A context holds on to its tables.
    context = SessionContext(SessionConfig().with_target_partitions(1))
    table = context.from_arrow(pa.table({"id": ids}))
    hashed = table.select(sha256(concat(literal(prefix), col("id"))).alias("digest"))
    digests = hashed.to_arrow_table()["digest"].cast(pa.binary(32))
    whole = np.concatenate([np.frombuffer(chunk.buffers()[1], np.uint8) for chunk in digests.chunks])
    return whole.reshape(-1, 32)


def by_rows(prefix: str, ids: pa.Array) -> NDArray[np.uint8]:
    """Return the same as `in_columns`, computed by hashlib row by row."""
    start, sha256 = prefix.encode(), hashlib.sha256
    whole = b"".join([sha256(start + one).digest() for one in ids.cast(pa.binary()).to_pylist()])
    return np.frombuffer(whole, np.uint8).reshape(-1, 32)


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
