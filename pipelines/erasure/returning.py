"""Erased people who come back: rows that are read from outside the workspace again are left out, and counted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines.engine.duckdb_engine import quoted
from pipelines.erasure.record import Erasures
from pipelines.erasure.salt import Kind, hashed, hashed_in_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.marketplace.mapping import MappedTable


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


@dataclass(frozen=True)
class Returning:
    """Which rows of a table are an erased person's: for tables that are read row by row and not by `prepare`."""

    erasures: Erasures

    def __bool__(self) -> bool:
        return bool(self.erasures)

    def rows(
        self, customers: NDArray[np.object_] | None = None, applications: NDArray[np.object_] | None = None
    ) -> NDArray[np.bool_]:
        """Return whether each row is an erased person's, shape (n,), by the ids that are told: text, None is missing.

        Where a row names its customer, that decides. A microsecond a row where somebody was erased.
        """
        if customers is None:
            return self._are(Kind.application, applications) if applications is not None else np.zeros(0, bool)
        found = self._are(Kind.customer, customers)
        if applications is not None:
            unnamed = np.array([one is None for one in customers], bool)
            found[unnamed] = self._are(Kind.application, applications[unnamed])
        return found

    def _are(self, kind: Kind, ids: NDArray[np.object_]) -> NDArray[np.bool_]:
        known, salt = self.erasures.hashes.get(kind, frozenset()), self.erasures.salt
        are = (one is not None and hashed(salt, kind, str(one)) in known for one in ids)
        return np.fromiter(are, bool, len(ids))
