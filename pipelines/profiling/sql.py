"""The same counts in DuckDB's SQL: an aggregate for each bin, in one query over the files of one schema."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from pipelines.decision_tally import Tally
from pipelines.engine.duckdb_engine import connect, literal, quoted
from pipelines.errors import DataError
from pipelines.profiling.counting import Counted, check_segments, nothing, without_wide_scores
from pipelines.profiling.passes import ScoredTable, on_threads
from pipelines.profiling.plan import Counting, counting_of
from pipelines.profiling.roles import TableRoles
from pipelines.profiling.sampling import joined, sample_table
from pipelines.reference_profile import FrozenBins
from pipelines.score_counts import ScoreCounts
from pipelines.window_profile import WindowProfile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SEGMENT = "the segment"


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
    """Return the counts of a table in bins that were frozen before: those of `count_table`, to the last one.

    `memory` bounds DuckDB, in its own spelling ("4GB"), which spills into `scratch`.

    Raises:
        DataError: a role names no column; a column is of another kind than its bins; too many segments; two columns
            have one name but for its case.
    """
    counting = counting_of(table, bins, roles)
    _check_case(table)
    profile = WindowProfile(counting.name, nothing(bins), {})
    with connect(threads, memory, scratch) as connection:
        for schema, files in _by_schema(table):
            profile += _profile(connection, counting, schema, files)
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
                f"DuckDB tells columns apart by more than their case, '{file}' has {' and '.join(twice)}; "
                "rename one or use engine=arrow"
            )


def _by_schema(table: ScoredTable) -> Iterator[tuple[pa.Schema, list[str]]]:
    """Yield the files that hold the same columns: a common type of two others might not hold the values of both."""
    ordered = sorted(table.schemas, key=lambda one: str(one[1]))
    for _, some in groupby(ordered, key=lambda one: str(one[1])):
        held = list(some)
        yield held[0][1], [file for file, _ in held]


def _profile(
    connection: "DuckDBPyConnection", counting: Counting, schema: pa.Schema, files: Sequence[str]
) -> WindowProfile:
    listed = ", ".join(literal(file) for file in files)
    source = f"read_parquet([{listed}], hive_partitioning = false)"
    kept = {column: bins for column, bins in counting.bins.items() if column in schema.names}
    selected = ", ".join(
        [f"{_segment(counting.roles, schema)} as {quoted(SEGMENT)}", "count(*)"]
        + [aggregate for column, bins in kept.items() for aggregate in _aggregates(schema.field(column), bins)]
    )
    tallies: dict[str | None, Tally] = {}
    for segment, rows, *found in connection.execute(f"select {selected} from {source} group by all").fetchall():
        tallies[segment] = Tally(rows=rows, columns=_columns(counting, kept, rows, iter(found)))
    for kind, column in (("bands", counting.roles.band), ("decisions", counting.roles.decision)):
        if column in schema.names:
            _count_names(connection, counting.roles, schema, source, str(column), kind, tallies)
    if counting.has_points and counting.roles.score in schema.names:
        _count_scores(connection, counting.roles, schema, source, tallies)
    named = {segment: tally for segment, tally in tallies.items() if segment is not None}
    return WindowProfile(counting.name, sum(tallies.values(), nothing(list(counting.bins.values()))), named)


def _segment(roles: TableRoles, schema: pa.Schema) -> str:
    return f"{quoted(roles.segment)}::varchar" if roles.segment in schema.names and roles.segment else "null::varchar"


def _count_names(
    connection: "DuckDBPyConnection",
    roles: TableRoles,
    schema: pa.Schema,
    source: str,
    column: str,
    kind: str,
    tallies: dict[str | None, Tally],
) -> None:
    """Count the names of a column by segment into the tallies."""
    name = f"{quoted(column)}::varchar"
    query = f"select {_segment(roles, schema)}, {name}, count(*) from {source} where {name} is not null group by all"
    for segment, level, times in connection.execute(query).fetchall():
        getattr(tallies[segment], kind).update(Counter({level: times}))


def _count_scores(
    connection: "DuckDBPyConnection",
    roles: TableRoles,
    schema: pa.Schema,
    source: str,
    tallies: dict[str | None, Tally],
) -> None:
    """Count the points of each segment one by one into the tallies, with the sums of their PDs."""
    points = f"{quoted(roles.score)}::bigint"
    pd = f"sum({_number(schema.field(roles.pd))})" if roles.pd in schema.names else "null"
    query = f"select {_segment(roles, schema)}, {points}, count(*), {pd} from {source} where {points} is not null"
    found = connection.execute(f"{query} group by all order by 2").fetchall()
    for segment in {one[0] for one in found}:
        ours = [one[1:] for one in found if one[0] == segment]
        values, rows, sums = zip(*ours, strict=True)
        known = np.array([np.nan if one is None else one for one in sums])
        tallies[segment].scores = ScoreCounts(np.array(values), np.array(rows), known)


def _aggregates(field: pa.Field, bins: FrozenBins) -> Iterator[str]:
    """Yield how many values are there, then how many below or up to each bound, or of each level and the rare ones."""
    if bins.edges is None:
        text = f"{quoted(field.name)}::varchar"
        yield f"count({text})"
        yield from (f"count(*) filter ({text} = {literal(level)})" for level in bins.levels)
        yield f"count(*) filter ({text} in ({', '.join(map(literal, bins.rare))}))" if bins.rare else "0"
        return
    number = _number(field)
    yield f"count({number})"
    yield f"count(*) filter ({number} < {_double(bins.lowest)})"
    yield from (f"count(*) filter ({number} <= {_double(edge)})" for edge in (*bins.edges, bins.highest))


def _number(field: pa.Field) -> str:
    """Return a number as a double, NaN being missing; a decimal by way of its text, whose nearest double it is."""
    kind = field.type.value_type if pt.is_dictionary(field.type) else field.type
    name = quoted(field.name)
    number = f"{name}::varchar::double" if pt.is_decimal(kind) else f"{name}::double"
    return f"case when isnan({number}) then null else {number} end" if pt.is_floating(kind) else number


def _double(number: float) -> str:
    return f"'{number!r}'::double"


def _columns(
    counting: Counting, kept: dict[str, FrozenBins], rows: int, found: Iterator[Any]
) -> dict[str, NDArray[np.int64]]:
    counts = {}
    for column, bins in counting.bins.items():
        told = [next(found) for _ in range(_aggregates_of(bins))] if column in kept else None
        counts[bins.column] = _counts(bins, rows, told)
    return counts


def _aggregates_of(bins: FrozenBins) -> int:
    return len(bins.labels) - 1 if bins.edges is None else len(bins.edges) + 3


def _counts(bins: FrozenBins, rows: int, told: list[int] | None) -> NDArray[np.int64]:
    """Return the counts by bin from what the aggregates told, or those of a lacking column."""
    if told is None:
        return np.array([rows, *[0] * (len(bins.labels) - 1)], dtype=np.int64)
    present, *found = told
    if bins.edges is None:
        return np.array([rows - present, *found, present - sum(found)], dtype=np.int64)
    return np.array([rows - present, found[0], *np.diff(found), present - found[-1]], dtype=np.int64)
