"""What the service keeps of decisions beside the score log: its journal, what it set aside, and its index."""

import re

from pipelines.erasures.person import Person
from pipelines.errors import RequestError
from pipelines.score_log.rolled_decisions import RolledDecisions
from pipelines.storage.workspace import Workspace


def check_nothing_waits(workspace: Workspace, person: Person) -> None:
    """Raise RequestError where a journal of the service holds an id of the person."""
    pattern = _ids_of(person)
    for path in sorted(workspace.root.rglob("*.journal")):
        if pattern.search(path.read_bytes()):
            raise RequestError(
                f"the service still has a decision of this customer in its journal '{path}'; wait until it is in the "
                "score log, or stop the service, and run the command again"
            )


def remove_torn(workspace: Workspace, person: Person) -> None:
    """Remove what a journal set aside as no whole record, where it holds an id of the person: nobody can read it."""
    pattern = _ids_of(person)
    for path in sorted(workspace.root.rglob("*.torn-*")):
        if pattern.search(path.read_bytes()):
            path.unlink()


def forget_rolled(workspace: Workspace, person: Person) -> None:
    """Remove the person's decisions from the index by which the service finds them in the log."""
    index = workspace.serving / "decided.db"
    if index.exists():
        rolled = RolledDecisions(index)
        try:
            rolled.forget([bytes.fromhex(one) for one in sorted(person.decisions)])
        finally:
            rolled.close()


def _ids_of(person: Person) -> "re.Pattern[bytes]":
    ids = (person.customer, *sorted(person.applications), *sorted(person.decisions))
    return re.compile(rb"(?<!\w)(?:" + b"|".join(re.escape(one.encode()) for one in ids) + rb")(?!\w)")
