"""Content hashes: the same content has the same fingerprint in every file and folder."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd


def fingerprint_table(table: pd.DataFrame) -> str:
    """Return the SHA-256 of a table's column names, types and values in order; the file format does not matter.

    >>> fingerprint_table(pd.DataFrame({"a": [1]})) == fingerprint_table(pd.DataFrame({"a": [2]}))
    False
    """
    digest = hashlib.sha256()
    for column in table:
        add_column(digest, str(column), table[column])
    return digest.hexdigest()


def add_column(digest: "hashlib._Hash", name: str, values: "pd.Series[Any]") -> None:
    """Take one column, in the order of the table, into what becomes the table's fingerprint."""
    digest.update(f"{name}\0{values.dtype}\0".encode())
    digest.update(_hashes(values).to_numpy().tobytes())


def _hashes(values: "pd.Series[Any]") -> "pd.Series[Any]":
    try:
        return pd.util.hash_pandas_object(values, index=False)
    except TypeError:  # lists and records of a Parquet file: by their spelling
        return pd.util.hash_pandas_object(values.map(lambda value: json.dumps(value, default=_plain)), index=False)


def _plain(value: Any) -> object:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def fingerprint_record(record: object) -> str:
    """Return the SHA-256 of a JSON-able record in its canonical spelling.

    >>> fingerprint_record({"a": 1, "b": 2}) == fingerprint_record({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(spell_record(record).encode()).hexdigest()


def spell_record(record: object) -> str:
    """Return the canonical spelling of a JSON-able record: what `fingerprint_record` hashes.

    >>> spell_record({"b": 1, "a": [2]})
    '{"a":[2],"b":1}'
    """
    return json.dumps(record, sort_keys=True, separators=(",", ":"), default=str)


def fingerprint_code(*patterns: str) -> str:
    """Return the SHA-256 of source files, named by glob patterns below `pipelines`.

    >>> fingerprint_code("credit/*.py") == fingerprint_code("credit/*.py", "errors.py")
    False
    """
    here = Path(__file__).resolve().parents[1]
    return fingerprint_files({str(path.relative_to(here)): path for one in patterns for path in here.glob(one)})


def fingerprint_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint_files(files: Mapping[str, Path]) -> str:
    """Return the SHA-256 of named files: their names and bytes."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{files[name].stat().st_size}\0".encode())
        digest.update(files[name].read_bytes())
    return digest.hexdigest()
