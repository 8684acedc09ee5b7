"""Finds repeated keys without sorting, and without grouping where the keys are dense integers."""

from typing import TYPE_CHECKING

from pipelines.engine.duckdb_engine import count_rows
from pipelines.marketplace.tables import TableContract

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_BITS = 1_000_000_000
"""The widest range of keys that is marked in a bit map (125 MB a thread)."""

SPARSEST = 64
"""Bits per row beyond which grouping is cheaper than a bit map."""


def find_repeated(connection: "DuckDBPyConnection", contract: TableContract, rows: str) -> int:
    """Create the table repeated_<name> of the keys that several rows have, and return how many there are.

    `rows` is SQL of the converted rows. Grouping 10 million integers takes ten times as long as marking them in a bit
    map of their range, so the bit map is tried first: as many bits set as rows proves that no key repeats.
    """
    key = ", ".join(contract.key)
    complete = " and ".join(f"{name} is not null" for name in contract.key)
    repeated = f"select {key} from {rows} where {complete} group by {key} having count(*) > 1"
    if _is_proven_unique(connection, contract, rows, complete):
        repeated = f"select {key} from {rows} limit 0"
    connection.execute(f"create temp table repeated_{contract.name} as {repeated}")
    return count_rows(connection, f"repeated_{contract.name}")


def without_copies(connection: "DuckDBPyConnection", contract: TableContract, rows: str) -> tuple[str, int]:
    """Return SQL of the rows in which equal rows of a repeated key count once, and the number of the other copies.

    Afterwards repeated_<name> has only the keys of rows that differ.
    """
    name, key = contract.name, ", ".join(contract.key)
    connection.execute(f"create temp table delivered_again_{name} as from repeated_{name}")
    again = f"from {rows} semi join delivered_again_{name} using ({key})"
    connection.execute(f"create temp table distinct_{name} as select distinct * {again}")
    connection.execute(
        f"create or replace temp table repeated_{name} as select {key} from distinct_{name} group by {key} "
        "having count(*) > 1"
    )
    counts = f"select (select count(*) {again}) - (select count(*) from distinct_{name})"
    copies = int(connection.execute(counts).fetchall()[0][0])
    others = f"from {rows} anti join delivered_again_{name} using ({key})"
    return f"({others} union all by name from distinct_{name})", copies


def _is_proven_unique(connection: "DuckDBPyConnection", contract: TableContract, rows: str, complete: str) -> bool:
    ends = ", ".join(f"min({name}), max({name})" for name in contract.key)
    count, *limits = connection.execute(f"select count(*), {ends} from {rows} where {complete}").fetchall()[0]
    if not count or not all(isinstance(limit, int) for limit in limits):
        return not count
    position, bits = _position(contract.key, limits)
    if bits > min(MOST_BITS, SPARSEST * count):
        return False
    marked = f"select bit_count(bitstring_agg({position}, 0, {bits - 1})) from {rows} where {complete}"
    return connection.execute(marked).fetchone() == (count,)


def _position(key: tuple[str, ...], limits: list[int]) -> tuple[str, int]:
    """Return SQL that numbers the possible keys from 0, and how many there are."""
    position, bits = "0", 1
    for name, low, high in zip(key, limits[::2], limits[1::2], strict=True):
        position = f"({position}) * {high - low + 1} + ({name} - ({low}))"
        bits *= high - low + 1
    return position, bits
