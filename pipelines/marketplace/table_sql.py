"""Runs a user's SELECT over raw files with DuckDB, which can read these files and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.engine.duckdb_engine import connect, reason_of, sql_name, sql_parquet, sql_text
from pipelines.errors import ConfigurationError, DataError
from pipelines.secrets.private_files import make_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_A_BATCH = 100_000


@dataclass(frozen=True)
class Resources:
    """What a query may use; `scratch` is a folder for its temporary files."""

    threads: int
    memory_limit: str
    scratch: Path


def run_select(
    table: str, sql: str, views: Mapping[str, Sequence[Path]], into: Path, resources: Resources, number: str
) -> None:
    """Write the rows of a SELECT into a Parquet file; `views` are Parquet files by the name that the SELECT uses.

    `number` is SQL over `given`: the SELECT can call it as number(text).

    DuckDB runs it without access to any other file, to extensions and to the network, and cannot write.

    Raises:
        ConfigurationError: `sql` is not one SELECT, or names something that does not exist.
        DataError: the query fails; it has no rows, or two columns of one name.
    """
    import duckdb

    with connect(resources.threads, resources.memory_limit, resources.scratch) as connection:
        _check_is_select(connection, table, sql)
        connection.execute(f"create macro number(given) as {number}")
        _create_views(connection, views)
        try:
            batches = connection.execute(sql).to_arrow_reader(ROWS_A_BATCH)
            _write(table, batches, into)
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            raise _failure(table, views, error) from error


def _check_is_select(connection: "DuckDBPyConnection", table: str, sql: str) -> None:
    import duckdb

    try:
        kinds = [one.type for one in connection.extract_statements(sql)]
    except duckdb.Error as error:
        raise ConfigurationError(f"raw.tables.{table}.sql is not SQL: {reason_of(error)}") from error
    if kinds != [duckdb.StatementType.SELECT]:
        names = ", ".join(kind.name for kind in kinds) or "nothing"
        raise ConfigurationError(f"raw.tables.{table}.sql must be one SELECT statement, found {names}; remove the rest")


def _create_views(connection: "DuckDBPyConnection", views: Mapping[str, Sequence[Path]]) -> None:
    """Create the views, then lock the connection to their files."""
    for name, paths in views.items():
        connection.execute(f"create view {sql_name(name)} as from {sql_parquet(paths)}")
    allowed = ", ".join(sql_text(str(path)) for paths in views.values() for path in paths)
    connection.execute(f"set allowed_paths = [{allowed}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _write(table: str, batches: pa.RecordBatchReader, into: Path) -> None:
    names = [name.casefold() for name in batches.schema.names]
    repeated = [name for name in batches.schema.names if names.count(name.casefold()) > 1]
    if repeated:
        raise DataError(f"the SELECT of raw.tables.{table}.sql has two columns '{repeated[0]}'; rename one with AS")
    make_folder(into.parent)
    with pq.ParquetWriter(into, batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _failure(table: str, views: Mapping[str, Sequence[Path]], error: Exception) -> DataError:
    import duckdb

    if isinstance(error, duckdb.PermissionException):
        return DataError(
            f"raw.tables.{table}.sql reads something other than the files of raw.folder ({reason_of(error)}); name "
            f"these as tables: {', '.join(views)}"
        )
    return DataError(f"raw.tables.{table}.sql failed: {reason_of(error)}; it can read {', '.join(views)}")
