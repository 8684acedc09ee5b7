"""Files with one JSON record a line, such as the service's: counts and removes a person's records."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.erasure.person import APPLICATION, DECISION, Person
from pipelines.erasures.record import CUSTOMER
from pipelines.reading.spelling import spelled_number
from pipelines.storage.atomic_files import whole_file

SUFFIX = ".jsonl"


def lines_of(person: Person, path: Path) -> int:
    """Return how many records name the person, themselves or in a row inside them."""
    return sum(_is_theirs(person, line) for line in path.read_bytes().splitlines())


def remove_lines(person: Person, path: Path) -> None:
    """Write a file again without a person's records, the others byte by byte."""
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not _is_theirs(person, line)]
    if len(kept) < len(lines):
        with whole_file(path, keeps_mode=True) as temporary:
            temporary.write_bytes(b"".join(kept))


def _is_theirs(person: Person, line: bytes) -> bool:
    try:
        record = json.loads(line)
    except ValueError:  # an incomplete line has no names
        return False
    rows: list[Any] = [record, *record.values()] if isinstance(record, Mapping) else []
    return any(_names(person, one) for one in rows if isinstance(one, Mapping))


def _names(person: Person, row: Mapping[str, Any]) -> bool:
    customers = [row[name] for name in (CUSTOMER, *person.columns) if row.get(name) is not None]
    if customers:
        return any(_is(one, person.customer) for one in customers)
    return (
        any(_is(row.get(APPLICATION), one) for one in person.applications) or str(row.get(DECISION)) in person.decisions
    )


def _is(value: object, identity: str) -> bool:
    """Return whether a JSON value is an id: a number in its digits, or text."""
    return (spelled_number(value) if isinstance(value, float) else str(value)) == identity
