"""Files of one JSON record a line, such as what the service set aside: written again without a person's records."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.erasures.person import APPLICATION, CUSTOMER, DECISION, Person
from pipelines.storage.atomic_files import whole_file

SUFFIX = ".jsonl"


def lines_of(person: Person, path: Path) -> int:
    """Return how many records are the person's: of a row that they hold, or of themselves."""
    return sum(_is_theirs(person, line) for line in path.read_bytes().splitlines())


def remove_lines(person: Person, path: Path) -> int:
    """Write a file again without a person's records, the others byte by byte, and return how many they were."""
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not _is_theirs(person, line)]
    if len(kept) < len(lines):
        with whole_file(path) as temporary:
            temporary.write_bytes(b"".join(kept))
            temporary.chmod(path.stat().st_mode & 0o777)
    return len(lines) - len(kept)


def _is_theirs(person: Person, line: bytes) -> bool:
    try:
        told = json.loads(line)
    except ValueError:  # a line that was cut off says nothing that could be erased by its names
        return False
    found: list[Any] = [told, *told.values()] if isinstance(told, Mapping) else []
    return any(_names(person, one) for one in found if isinstance(one, Mapping))


def _names(person: Person, row: Mapping[str, Any]) -> bool:
    customers = [str(row[name]) for name in (CUSTOMER, *person.columns) if row.get(name) is not None]
    if customers:
        return person.customer in customers
    return str(row.get(APPLICATION)) in person.applications or str(row.get(DECISION)) in person.decisions
