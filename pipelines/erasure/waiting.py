"""Decisions of the service that are not in the score log yet: nobody is erased while theirs wait in a journal."""

import re

from pipelines.erasure.person import Person
from pipelines.errors import RequestError
from pipelines.workspace import Workspace


def check_nothing_waits(workspace: Workspace, person: Person) -> None:
    """Raise RequestError where a journal of the service holds an id of the person."""
    pattern = _ids_of(person)
    for path in sorted(workspace.root.rglob("*.journal")):
        if pattern.search(path.read_bytes()):
            raise RequestError(
                f"a decision is erased from the score log, the service still keeps one of this customer in its journal "
                f"'{path}'; wait until it has gone into the log, or stop the service, and give the command again"
            )


def remove_torn(workspace: Workspace, person: Person) -> None:
    """Remove what a journal set aside as no whole record, where it holds an id of the person: nobody can read it."""
    pattern = _ids_of(person)
    for path in sorted(workspace.root.rglob("*.torn-*")):
        if pattern.search(path.read_bytes()):
            path.unlink()


def _ids_of(person: Person) -> "re.Pattern[bytes]":
    ids = (person.customer, *sorted(person.applications), *sorted(person.decisions))
    return re.compile(rb"(?<!\w)(?:" + b"|".join(re.escape(one.encode()) for one in ids) + rb")(?!\w)")
