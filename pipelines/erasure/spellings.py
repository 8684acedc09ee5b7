"""Whether an id can be one of the customers of a workspace, and which other ids look like it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.erasure.files import kind_of, parquet_below
from pipelines.erasure.person import Person, ids_of
from pipelines.errors import RequestError
from pipelines.storage.workspace import Workspace

WHOLE, DIGITS = r"^-?(?:0|[1-9][0-9]*)$", r"^-?[0-9]+$"
"""Whole numbers as a column of numbers has them, and with zeros in front."""


def check_spelling(workspace: Workspace, person: Person) -> None:
    """Raise RequestError where every customer of the workspace is a whole number and the id is not one."""
    forms = {form for path in parquet_below(workspace.root) for ids in _customers(path, person) for form in _forms(ids)}
    usual = next((one for one in ("", DIGITS, WHOLE) if one in forms), "")
    if usual and not re.search(usual, person.customer):
        advice = "correct customer=ID"
        if re.search(DIGITS, person.customer):
            advice = f"write it as they are written: customer={int(person.customer)}"
        raise RequestError(
            f"customer is '{person.customer}', and every customer of the workspace is a whole number"
            f"{' without zeros in front' if usual == WHOLE else ''}; {advice}"
        )


def lookalikes(workspace: Workspace, person: Person) -> dict[str, list[str]]:
    """Return ids of other customers that differ in spaces, case, zeros in front or decimals, with where they are."""
    found: dict[str, set[str]] = {}
    plain = _plain(pa.array([person.customer]))[0]
    for path in parquet_below(workspace.root):
        for ids in _customers(path, person):
            is_alike = pc.and_(pc.equal(_plain(ids), plain), pc.not_equal(ids, person.customer))
            for one in ids.filter(is_alike).to_pylist():
                found.setdefault(one, set()).add(kind_of(path, workspace.root))
    return {one: sorted(kinds) for one, kinds in sorted(found.items())}


def _customers(path: Path, person: Person) -> Iterator[pa.Array]:
    """Yield the distinct customers in each row group and column of a file."""
    with pq.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if name in person.customer_columns]
        for group in range(file.num_row_groups if names else 0):
            for column in file.read_row_group(group, names).columns:
                yield pc.unique(ids_of(column)).drop_null()


def _forms(ids: pa.Array) -> set[str]:
    """Return the narrowest pattern that each id has, "" for one that is not a whole number."""
    are_whole, are_digits = (pc.match_substring_regex(ids, pattern) for pattern in (WHOLE, DIGITS))
    forms = pc.if_else(are_whole, WHOLE, pc.if_else(are_digits, DIGITS, ""))
    return {*pc.unique(forms).to_pylist()}


def _plain(ids: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.utf8_lower(pc.utf8_trim_whitespace(ids)), r"^0*([0-9]+)(?:\.0*)?$", r"\1")
