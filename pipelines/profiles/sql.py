"""Counts a table in frozen bins with DuckDB: a query for each column, which reads only that column."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from pipelines.engine.duckdb_engine import connect, sql_name, sql_text
from pipelines.errors import DataError
from pipelines.profiles.counting import Counted, check_segments, nothing, without_wide_scores
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.dimensions import Dimension, segment_name
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.passes import ScoredTable, on_threads
from pipelines.profiles.plan import Counting, counting_of
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.sampling import joined, sample_table
from pipelines.profiles.score_counts import ScoreCounts
from pipelines.profiles.window_profile import WindowProfile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def count_in_duckdb(
    table: ScoredTable,
    bins: Sequence[FrozenBins],
    roles: TableRoles,
    *,
    threads: int,
    memory: str,
    scratch: Path,
    most_sampled: int = 0,
) -> Counted:
    """Return the counts of a table in frozen bins, equal to those of `count_table`.

    `memory` limits DuckDB, such as "4GB", which spills into `scratch`.

    Raises:
        DataError: a role names no column; a column is of another kind than its bins; too many segments; two columns
            have one name but for its case.
    """
    counting = counting_of(table, bins, roles)
    _check_case(table)
    profile = WindowProfile(counting.name, nothing(bins), {})
    with connect(threads, memory, scratch) as connection:
        for schema, source in _sources(table):
            profile += _profile(connection, counting, schema, source)
            check_segments(profile.segments, roles)
    columns = list(dict.fromkeys([*counting.numeric, *counting.coded]))
    sample = sample_table(table, columns, most_sampled, on_threads(threads)) if most_sampled else joined([], columns)
    return Counted(without_wide_scores(profile), sample, counting.absent, counting.unknown)


def _check_case(table: ScoredTable) -> None:
    for file, schema in table.schemas:
        folded = Counter(name.casefold() for name in schema.names)
        twice = [name for name in schema.names if folded[name.casefold()] > 1]
        if twice:
            raise DataError(
                f"DuckDB ignores the case of column names, and '{file}' has {' and '.join(twice)}; "
                "rename one or use engine=threads"
            )


def _sources(table: ScoredTable) -> Iterator[tuple[pa.Schema, str]]:
    """Yield SQL of files with equal schemas: a common type of two columns might not hold the values of both."""
    folders = {one.part.file: one.part.partition for one in table.parts}
    with_rows = [one for one in table.schemas if one[0] in folders]
    ordered = sorted(with_rows, key=lambda one: (str(one[1]), str(folders[one[0]])))
    for (_, folder), some in groupby(ordered, key=lambda one: (str(one[1]), folders[one[0]])):
        held = list(some)
        files = ", ".join(sql_text(file) for file, _ in held)
        values = [
            f"{'null' if value is None else sql_text(value)}::varchar as {sql_name(name)}" for name, value in folder
        ]
        source = f"read_parquet([{files}], hive_partitioning = false)"
        yield held[0][1], f"(select {', '.join(['*', *values])} from {source})"


def _text(value: str | None) -> str:
    return "null::varchar" if value is None else sql_text(value)


def _profile(connection: "DuckDBPyConnection", counting: Counting, schema: pa.Schema, source: str) -> WindowProfile:
    by_dimension = [
        _tallies(counting, _Counts(connection, counting.roles, one, schema, source))
        for one in counting.roles.segments or (None,)
    ]
    overall = sum(by_dimension[0].values(), nothing(list(counting.bins.values())))
    segments = {name: tally for one in by_dimension for name, tally in one.items() if name is not None}
    return WindowProfile(counting.name, overall, segments)


def _tallies(counting: Counting, counts: "_Counts") -> dict[str | None, Tally]:
    bins = list(counting.bins.values())
    tallies = {segment: replace(nothing(bins), rows=rows) for segment, _, rows in counts.of()}
    for column, one in counting.bins.items():
        for segment, bin_number, rows in counts.of_bins(column, one):
            tallies[segment].columns[one.column][bin_number] += rows
    for kind, named in (("bands", counting.roles.band), ("decisions", counting.roles.decision)):
        for segment, name, rows in counts.of_names(named):
            getattr(tallies[segment], kind)[name] += rows
    if counting.has_points:
        for segment, scores in counts.of_scores():
            tallies[segment].scores = scores
    if counts.dimension is None:
        return tallies
    name = counts.dimension.name
    return {None if one is None else segment_name(name, one): tally for one, tally in tallies.items()}


@dataclass(frozen=True)
class _Counts:
    """Counts rows of the same files by segment and by an expression."""

    connection: "DuckDBPyConnection"
    roles: TableRoles
    dimension: Dimension | None
    schema: pa.Schema
    source: str

    def of(self, value: str = "null", counted: str = "x") -> list[tuple[str | None, Any, int]]:
        """Return segment, value and rows; `counted` is SQL of the value over an expression `value` that is named x."""
        return self._ask(f"{value} as x", f"{counted} as v, count(*)")

    def of_bins(self, column: str, bins: FrozenBins) -> Iterator[tuple[str | None, int, int]]:
        """Yield segment, bin and rows of a column; a lacking one is missing in every row."""
        if column not in self.schema.names:
            yield from ((segment, 0, rows) for segment, _, rows in self.of())
        elif bins.edges is not None:
            yield from self.of(_number(self.schema.field(column)), _bin_of_x(bins, bins.edges))
        else:
            bin_of_level = {level: 1 + number for number, level in enumerate(bins.levels)}
            bin_of_level |= dict.fromkeys(bins.rare, len(bins.labels) - 2)
            for segment, level, rows in self.of(f"{sql_name(column)}::varchar"):
                yield segment, 0 if level is None else bin_of_level.get(level, len(bins.labels) - 1), rows

    def of_names(self, column: str | None) -> Iterator[tuple[str | None, str, int]]:
        """Yield segment, name and rows of a column, without those that have none."""
        if column is not None and column in self.schema.names:
            yield from (one for one in self.of(f"{sql_name(column)}::varchar") if one[1] is not None)

    def of_scores(self) -> Iterator[tuple[str | None, ScoreCounts]]:
        """Yield the points of each segment one by one, with the sums of their PDs."""
        roles, names = self.roles, self.schema.names
        if roles.score not in names:
            return
        pd = _number(self.schema.field(roles.pd)) if roles.pd in names else "null::double"
        counted = self._ask(f"{sql_name(roles.score)}::bigint as x, {pd} as p", "x as v, count(*), sum(p)")
        scored = sorted((one for one in counted if one[1] is not None), key=lambda one: int(one[1]))
        for segment in {one[0] for one in scored}:
            values, rows, sums = zip(*(one[1:] for one in scored if one[0] == segment), strict=True)
            pds = np.array([np.nan if one is None else one for one in sums], dtype=np.float64)
            yield segment, ScoreCounts(np.array(values, dtype=np.int64), np.array(rows, dtype=np.int64), pds)

    def _segment(self) -> str:
        if self.dimension is None or self.dimension.name not in self.schema.names:
            return "null::varchar"
        if self.dimension.edges is None:
            return f"{sql_name(self.dimension.name)}::varchar"
        return _band(self.dimension, _number(self.schema.field(self.dimension.name)))

    def _ask(self, values: str, results: str) -> list[tuple[Any, ...]]:
        """Return SQL aggregates (`results`) of expressions, for each segment and each v."""
        rows = f"select {self._segment()} as s, {values} from {self.source}"
        return self.connection.execute(f"select s, {results} from ({rows}) group by s, v").fetchall()


def _band(dimension: Dimension, number: str) -> str:
    bounds = zip(dimension.edges or (), dimension.bands, strict=False)
    cases = " ".join(f"when {number} < {_double(edge)} then {sql_text(band)}" for edge, band in bounds)
    return f"case when {number} is null then null {cases} else {sql_text(dimension.bands[-1])} end"


def _bin_of_x(bins: FrozenBins, edges: Sequence[float]) -> str:
    """Return the place of the bin of a number x, in the order of `FrozenBins.labels`."""
    bounds = [f"when x < {_double(bins.lowest)} then 1"]
    bounds += [f"when x <= {_double(edge)} then {2 + number}" for number, edge in enumerate((*edges, bins.highest))]
    return f"case when x is null then 0 {' '.join(bounds)} else {len(bins.labels) - 1} end"


def _number(field: pa.Field) -> str:
    """Return a number as a double, NaN being missing; a decimal by way of its text, whose nearest double it is."""
    kind = field.type.value_type if pt.is_dictionary(field.type) else field.type
    name = sql_name(field.name)
    number = f"{name}::varchar::double" if pt.is_decimal(kind) else f"{name}::double"
    return f"case when isnan({number}) then null else {number} end" if pt.is_floating(kind) else number


def _double(number: float) -> str:
    return f"'{number!r}'::double"
