"""Profiles of external tables: frozen bins, and the counts of each period in them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.credit.population import Population
from pipelines.errors import DataError
from pipelines.profiles.column_names import feature_named
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.engines import Engine
from pipelines.profiles.freezing import Frozen
from pipelines.profiles.missing_given import missing_given
from pipelines.profiles.passes import PartOfTable, ScoredTable
from pipelines.profiles.reference_profile import ANY_TIME, SCORE, ReferenceProfile
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.sampling import thinned
from pipelines.profiles.values import levels_in, numbers_in
from pipelines.profiles.window_profile import WindowProfile, name_of
from pipelines.storage.fingerprint import fingerprint_record

MONTH = re.compile(r"(?:[^=]*=)?(\d{4}-(?:0[1-9]|1[0-2]))(?:\.parquet)?")
"""A folder or file of one month: 2026-10, period=2026-10, 2026-10.parquet."""


@dataclass(frozen=True)
class TableProfile:
    """Frozen bins, and the counts of each period in them, overall and by segment; it holds no rows.

    `left_out` says why columns of the table are not counted, `absent` are columns of the bins that it lacks, whose
    values count as missing. `name` and `source` are the table's name and fingerprint. `sample` is a bounded sample of
    its rows, which is not kept.
    """

    reference: ReferenceProfile
    periods: Mapping[str, WindowProfile]
    name: str
    source: str
    left_out: Mapping[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    sample: pa.Table | None = field(default=None, compare=False)

    @property
    def total(self) -> WindowProfile:
        """The counts of all periods."""
        first, *others = self.periods.values()
        return sum(others, first)

    def to_json(self) -> str:
        """Return the profile as text, without the sample."""
        record: dict[str, Any] = {"name": self.name, "source": self.source}
        record |= {"left_out": self.left_out, "absent": self.absent}
        record["reference"] = json.loads(replace(self.reference, by_period={}).to_json())
        record["periods"] = {period: json.loads(one.to_json()) for period, one in self.periods.items()}
        return json.dumps(record)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the profile that the text describes.

        Raises:
            ValueError, KeyError, TypeError: it describes none.
        """
        record = json.loads(text)
        periods = {period: WindowProfile.from_json(json.dumps(one)) for period, one in record["periods"].items()}
        reference = ReferenceProfile.from_json(json.dumps(record["reference"]))
        reference = replace(reference, by_period={period: one.overall for period, one in periods.items()})
        names = record["name"], record["source"]
        return cls(reference, periods, *names, record["left_out"], tuple(record["absent"]))


def profile_reference(
    engine: Engine, table: ScoredTable, roles: TableRoles, population: Population, *, most_sampled: int = 0
) -> TableProfile:
    """Freeze the bins of a table and count each of its periods in them: two passes over it.

    Raises:
        DataError: the table is empty; a role names no column, or one of the wrong kind; too many segments.
    """
    if not table.rows:
        raise DataError(f"reference '{table.path}' has no rows; name another reference")
    frozen = engine.freeze(table, roles)
    name = name_of(frozen.bins)
    periods = {
        period: replace(engine.count(part, frozen.own_bins, roles).profile, bins=name)
        for period, part in by_period(table).items()
    }
    by_month = {period: one.overall for period, one in periods.items()}
    counts = {
        name: tuple(column_counts.tolist()) for name, column_counts in sum(by_month.values(), Tally()).columns.items()
    }
    given = missing_given(frozen.bins, _values(frozen))
    reference = ReferenceProfile(table.rows, population, frozen.bins, counts, by_month, given)
    sample = thinned(frozen.sample, most_sampled)
    return TableProfile(reference, periods, table.path.name, table.fingerprint, frozen.left_out, sample=sample)


def _values(frozen: Frozen) -> dict[str, NDArray[Any]]:
    """Return the sampled values of the features, by the names of their bins."""
    values: dict[str, NDArray[Any]] = {}
    for bins in frozen.bins:
        name = feature_named(bins.column)
        if bins.column != SCORE and name in frozen.sample.column_names:
            column = frozen.sample[name]
            levels = None if bins.edges is not None else levels_in(column)
            values[bins.column] = (
                numbers_in(column) if levels is None else np.array([*levels.names, None], dtype=object)[levels.codes]
            )
    return values


def profile_window(
    engine: Engine, table: ScoredTable, reference: ReferenceProfile, roles: TableRoles, *, most_sampled: int = 0
) -> TableProfile:
    """Count a table, all of it as one period, in the bins of a reference: one pass over it.

    Raises:
        DataError: a role names no column; a column is of another kind than its bins; too many segments.
    """
    counted = engine.count(table, reference.bins, roles, most_sampled=most_sampled)
    left_out = dict.fromkeys(counted.unknown, "the reference has no such column")
    periods = {ANY_TIME: counted.profile}
    return TableProfile(
        reference, periods, table.path.name, table.fingerprint, left_out, counted.absent, counted.sample
    )


def by_period(table: ScoredTable) -> Mapping[str, ScoredTable]:
    """Return the table of each month, in order; all of it under ANY_TIME unless every file is of a known month."""
    months = {file: _month(table.path, Path(file)) for file, _ in table.schemas}
    if None in months.values():
        return {ANY_TIME: table}
    named = sorted({month for month in months.values() if month is not None})
    return {month: _only(table, month, {file for file, of in months.items() if of == month}) for month in named}


def _month(folder: Path, file: Path) -> str | None:
    """Return the month in the name of the first folder below the table, or of its file."""
    name = file.name if file == folder else file.relative_to(folder).parts[0]
    match = MONTH.fullmatch(name)
    return None if match is None else match[1]


def _only(table: ScoredTable, month: str, files: set[str]) -> ScoredTable:
    parts, first = [], 0
    for one in table.parts:
        if one.part.file in files:
            parts.append(PartOfTable(one.part, first))
            first += one.part.rows
    schemas = tuple(one for one in table.schemas if one[0] in files)
    fingerprint = fingerprint_record([table.fingerprint, month])
    return replace(table, parts=tuple(parts), schemas=schemas, rows=first, fingerprint=fingerprint)
