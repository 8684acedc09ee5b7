"""The periods of a table that lies in a folder for each month, or in a file for each."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.profiles.passes import PartOfTable, ScoredTable
from pipelines.profiles.reference_profile import ANY_TIME
from pipelines.storage.fingerprint import fingerprint_record

MONTH = re.compile(r"(?:[^=]*=)?(\d{4}-(?:0[1-9]|1[0-2]))(?:\.parquet)?")
"""A folder or file of one month: 2026-10, period=2026-10, 2026-10.parquet."""


def by_period(table: ScoredTable) -> Mapping[str, ScoredTable]:
    """Return the table of each month, in order; all of it under ANY_TIME unless every file is of a known month."""
    months = {file: _month(table.path, Path(file)) for file, _ in table.schemas}
    if None in months.values():
        return {ANY_TIME: table}
    found = sorted({month for month in months.values() if month is not None})
    return {month: _only(table, month, {file for file, of in months.items() if of == month}) for month in found}


def _month(folder: Path, file: Path) -> str | None:
    """Return the month that the first folder below the table is named by, or its file."""
    name = file.name if file == folder else file.relative_to(folder).parts[0]
    found = MONTH.fullmatch(name)
    return None if found is None else found[1]


def _only(table: ScoredTable, month: str, files: set[str]) -> ScoredTable:
    parts, first = [], 0
    for one in table.parts:
        if one.part.file in files:
            parts.append(PartOfTable(one.part, first))
            first += one.part.rows
    schemas = tuple(one for one in table.schemas if one[0] in files)
    fingerprint = fingerprint_record([table.fingerprint, month])
    return replace(table, parts=tuple(parts), schemas=schemas, rows=first, fingerprint=fingerprint)
