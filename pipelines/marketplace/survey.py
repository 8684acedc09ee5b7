"""Statistics of a clean table: the latest moment of each time column, and the frequency of each level."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.marketplace.tables import ORDERS, Kind, TableContract

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FUTURE = "due_at"
"""The one time column that may be in the future."""

MOST_LEVELS = 1_000
"""Levels kept of a column, the most frequent first."""


@dataclass(frozen=True)
class Survey:
    """`latest` is the latest moment of each time column (ISO, UTC); `levels` the rows of each level, by column."""

    latest: Mapping[str, str]
    levels: Mapping[str, Mapping[str, int]]


def survey(connection: "DuckDBPyConnection", contract: TableContract, rows: str) -> Survey:
    """Return the survey of a table; `rows` is SQL of its clean rows. Only orders have levels, never customers."""
    names = [name for name in contract.of_kind(Kind.time) if name != FUTURE]
    maxima = connection.execute(f"select {', '.join(f'max({name})' for name in names)} from {rows}").fetchall()[0]
    latest = {name: moment.isoformat() for name, moment in zip(names, maxima, strict=True) if moment is not None}
    columns = contract.of_kind(Kind.text) if contract is ORDERS else ()
    return Survey(latest, {column: _levels(connection, column, rows) for column in columns})


def _levels(connection: "DuckDBPyConnection", column: str, rows: str) -> dict[str, int]:
    query = (
        f"select {column}, count(*) from {rows} where {column} is not null group by all order by 2 desc, 1 "
        f"limit {MOST_LEVELS}"
    )
    return {str(level): int(count) for level, count in connection.execute(query).fetchall()}
