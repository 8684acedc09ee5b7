"""Each file of a workspace is written again in its own way: a table, a book's bucket with its index, JSON lines."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.book.recipe import BOOKS
from pipelines.book.removal import remove_customer
from pipelines.erasure.files import remove
from pipelines.erasure.lines import SUFFIX, remove_lines
from pipelines.erasures.person import CUSTOMER, Person


def remove_rows(person: Person, path: Path) -> None:
    """Write a file again without a person's rows; done already, it is done again to the same end."""
    if path.suffix == SUFFIX:
        remove_lines(person, path)
    elif path.parent.parent.name == BOOKS:
        kind = pq.read_schema(path).field(CUSTOMER).type
        remove_customer(path.parent, int(person.customer) if pa.types.is_integer(kind) else person.customer)
    else:
        remove(person, path)
