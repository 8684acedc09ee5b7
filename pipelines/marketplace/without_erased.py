"""Raw tables without the rows of erased people."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.engine.duckdb_engine import quoted
from pipelines.erasures.record import Erasures
from pipelines.erasures.salt import Kind, hashed_in_sql
from pipelines.marketplace.mapping import MappedTable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def without_erased(
    connection: "DuckDBPyConnection", tables: Sequence["MappedTable"], erasures: Erasures
) -> list["MappedTable"]:
    """Return raw tables that leave out the rows of erased customers, and the instalments of their applications."""
    if not erasures:
        return list(tables)
    connection.execute("create temp table erased_customers (hash varchar)")
    connection.executemany(
        "insert into erased_customers values (?)", [[one] for one in sorted(erasures.hashes[Kind.customer])]
    )
    found = {table.contract.name: _of_customers(table, erasures.salt) for table in tables}
    applications, instalments = found["applications"], found["instalments"]
    theirs = _id(applications, "application_id")
    connection.execute(
        f"create temp table erased_applications as select distinct {theirs} as id from {applications.everything} "
        f"where {applications.erased}"
    )
    by_application = (
        f"{_id(instalments, 'application_id')} in (select id from erased_applications where id is not null)"
    )
    found["instalments"] = replace(instalments, erased=f"coalesce({by_application}, false)")
    return [found[table.contract.name] for table in tables]


def _of_customers(table: "MappedTable", salt: str) -> "MappedTable":
    if "customer_id" not in table.columns:
        return table
    known = f"{hashed_in_sql(salt, Kind.customer, _id(table, 'customer_id'))} in (select hash from erased_customers)"
    return replace(table, erased=f"coalesce({known}, false)")


def _id(table: "MappedTable", column: str) -> str:
    """Return SQL of an id as it is spelt for a hash, whatever type the user wrote it in."""
    from pipelines.marketplace.readings import family

    name, written_as = table.columns[column]
    text = f"{quoted(name)}::varchar"
    return f"trim({text})" if family(written_as) == "text" else f"try_cast({quoted(name)} as bigint)::varchar"
