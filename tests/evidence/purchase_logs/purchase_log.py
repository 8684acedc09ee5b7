"""A real purchase log as orders, and how its file is found and read."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.engine.duckdb_engine import in_memory
from pipelines.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

REQUIRED = ("order_id", "customer_id", "ordered_at", "amount")
"""What every order has, in any log."""


@dataclass(frozen=True)
class PurchaseLog:
    """Orders by time, in the columns of the contract that the log knows, and how much was left out, by reason."""

    orders: "pa.Table"
    left_out: Mapping[str, int]


def shipped(package: str, file: str) -> Path:
    """Return where an installed package keeps a file; the package itself is never imported.

    Raises:
        DataError: the package is not installed.
    """
    try:
        return Path(str(distribution(package).locate_file(file)))
    except PackageNotFoundError:
        rule = f"this purchase log is a file of the package {package}, which is not installed"
        raise DataError(f"{rule}; run pip install 'thinfile[logs]', or give the path of the file") from None


def existing(path: Path) -> str:
    """Return the path of a purchase log for a query, or tell that there is none.

    Raises:
        DataError: no file at the path.
    """
    if not path.is_file():
        raise DataError(f"a purchase log must be a file, found none at '{path}'; correct the path")
    return str(path)


def read_log(orders: str, left_out: Mapping[str, str], files: Mapping[str, str]) -> PurchaseLog:
    """Return the answer of one query for the orders and of one each for the counts; `$name` stands for a file.

    Raises:
        DataError: a file that is not what the query expects; an order without a number, customer, time or amount.
    """
    import duckdb

    def ask(query: str) -> Any:
        used = {name: file for name, file in files.items() if f"${name}" in query}
        return connection.execute(query, used)

    with in_memory() as connection:
        try:
            counts = {reason: int(ask(query).fetchone()[0]) for reason, query in left_out.items()}
            table = ask(orders).to_arrow_table()
        except duckdb.Error as error:
            raise _unreadable(files, str(error).splitlines()[0].rstrip(".")) from error
    lacking = [name for name in REQUIRED if table[name].null_count]
    if lacking:
        raise _unreadable(files, f"an order without {lacking[0]}")
    return PurchaseLog(table, {reason: count for reason, count in counts.items() if count})


def _unreadable(files: Mapping[str, str], reason: str) -> DataError:
    names = " and ".join(f"'{file}'" for file in files.values())
    return DataError(f"{names} cannot be read as this purchase log ({reason}); check the file")
