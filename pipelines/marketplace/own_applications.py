"""A user's own table of applications: who applied when, read by the mapping of its columns, and all other columns."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds
import pyarrow.parquet as pq

from pipelines.engine.duckdb_engine import connect, count_rows
from pipelines.erasures.record import Erasures
from pipelines.errors import DataError
from pipelines.marketplace.conversion import converted, readings
from pipelines.marketplace.mapping import MappedTable, check_settings, map_table
from pipelines.marketplace.quarantine import Quarantine
from pipelines.marketplace.raw_files import RawFiles
from pipelines.marketplace.rules import own_checks
from pipelines.marketplace.settings import RawSettings
from pipelines.marketplace.sources import TableSource
from pipelines.marketplace.staging import as_parquet_of, explained_shortage, without_customers
from pipelines.marketplace.table_sql import Resources
from pipelines.marketplace.tables import OWN_APPLICATIONS, ROW
from pipelines.storage.atomic_files import scratch_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TEXTS = frozenset({"customer_id", "order_id"})
"""Identifiers that are compared with those of the marketplace as text, whatever type either has."""


@dataclass(frozen=True)
class OwnApplications:
    """`table` has the user's columns, `applications` the columns of the contract; both have ROW, and equal rows.

    Quarantined rows, counted by rule, and the rows of erased people are in neither.
    """

    table: pa.Table
    applications: pa.Table
    quarantined: Mapping[str, int]
    erased: int


def read_own_applications(
    raw: RawSettings, source: TableSource, beside: Path, threads: int, memory_limit: str, erasures: Erasures
) -> OwnApplications:
    """Return a user's applications, with temporary files in a folder `beside`.

    Raises:
        ConfigurationError, DataError: see `run_intake`.
    """
    with (
        scratch_folder(beside) as scratch,
        connect(threads, memory_limit, scratch) as connection,
        explained_shortage(memory_limit),
    ):
        check_settings(connection, raw)
        table, mapped, quarantine = checked_applications(
            connection, raw, source, Resources(threads, memory_limit, scratch), erasures
        )
        quarantine.check_readable()
        kept = count_rows(connection, mapped.relation)
        quarantine.check_share(kept, raw.max_quarantined)
        names = ", ".join(column.name for column in OWN_APPLICATIONS.columns)
        rows = connection.execute(f"select {names} from {quarantine.kept} order by {ROW}").to_arrow_table()
        counts = quarantine.counts
    return OwnApplications(table.take(rows[ROW]), rows, counts, len(table) - kept)


def checked_applications(
    connection: "DuckDBPyConnection", raw: RawSettings, source: TableSource, resources: Resources, erasures: Erasures
) -> tuple[pa.Table, MappedTable, Quarantine]:
    """Return a user's table with the number of each row, its mapping without erased people, and its broken rows."""
    files, parts = as_parquet_of(connection, raw, source, resources)
    table, numbered = _numbered(parts, resources.scratch)
    files = RawFiles(files.table, files.files[:1])
    mapped = map_table(connection, raw, OWN_APPLICATIONS, files, [numbered])
    mapped = without_customers(connection, mapped, erasures)
    checks = own_checks(mapped.contract, readings(mapped, raw, TEXTS), raw.scale)
    quarantine = Quarantine(connection, mapped.contract, converted(mapped, raw, TEXTS), tuple(checks))
    quarantine.fill()
    return table, mapped, quarantine


def check_names(table: pa.Table, features: Collection[str]) -> None:
    """Raise DataError where a user's column has the name of a feature; columns of the contract stand for theirs."""
    ours = {column.name for column in OWN_APPLICATIONS.columns}
    repeated = [name for name in table.column_names if name in features and name not in ours]
    if repeated:
        raise DataError(
            f"own_applications has a column '{repeated[0]}', which is the name of a feature; rename it in your file or "
            "with AS in raw.tables.own_applications.sql"
        )


def _numbered(parts: list[Path], scratch: Path) -> tuple[pa.Table, Path]:
    """Return the rows of Parquet files with their number, and a file of them."""
    table = pds.dataset([str(part) for part in parts], format="parquet").to_table()
    table = table.append_column(ROW, pa.array(range(len(table)), pa.int64()))
    path = scratch / "numbered.parquet"
    pq.write_table(table, path)
    return table, path


def of_lake(own: pa.Array, lake: pa.ChunkedArray) -> pa.Array:
    """Return the identifiers of the lake that are written as `own` texts are; null for those it does not have."""
    kept = pc.unique(lake)
    return kept.take(pc.index_in(own, value_set=kept.cast(pa.string())))
