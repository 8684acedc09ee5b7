"""Files of a workspace that are not tables: journals and index of the service, and any file that names a person."""

import json
import mmap
import re
from collections.abc import Iterable

from pipelines.erasure.files import files_below
from pipelines.erasure.person import Person
from pipelines.errors import RequestError
from pipelines.score_log.rolled_decisions import RolledDecisions
from pipelines.storage.workspace import Workspace

SHORTEST_ID = 5
"""Characters; shorter ids occur by chance in any file of numbers."""

PLAN = "erasure.json"


def check_journals(workspace: Workspace, person: Person) -> None:
    """Raise RequestError where a journal of the service holds an id of the person."""
    values = (json.dumps(one, ensure_ascii=False).encode() for one in _ids_of(person))
    pattern = re.compile(rb'"(?:customer|application|decision)_id":(?:' + b"|".join(map(re.escape, values)) + b")")
    for path in sorted(workspace.root.rglob("*.journal")):
        if pattern.search(path.read_bytes()):
            raise RequestError(
                f"the service still has a decision of this customer in its journal '{path}'; wait until it is in the "
                "score log, or stop the service, and run the command again"
            )


def remove_torn_records(workspace: Workspace, person: Person) -> None:
    """Remove files of incomplete records, which a journal set aside, that hold an id of the person."""
    pattern = _pattern(_ids_of(person))
    for path in sorted(workspace.root.rglob("*.torn-*")):
        if pattern.search(path.read_bytes()):
            path.unlink()


def remove_from_index(workspace: Workspace, person: Person) -> None:
    """Remove the person's decisions from the index by which the service finds them in the log."""
    index = workspace.serving / "decided.db"
    if index.exists():
        rolled = RolledDecisions(index)
        try:
            rolled.forget([bytes.fromhex(one) for one in sorted(person.decisions)])
        finally:
            rolled.close()


def files_that_name(workspace: Workspace, ids: Iterable[str]) -> list[str]:
    """Return the files below the workspace, other than Parquet, that contain one of these ids as a word.

    Reports, models and databases hold no ids of people by themselves; a reason that somebody gave may.
    """
    long = [one for one in ids if len(one) >= SHORTEST_ID]
    if not long:
        return []
    pattern, paths = _pattern(long), list[str]()
    for path in files_below(workspace.root):
        if path.suffix == ".parquet" or path.name == PLAN or not path.stat().st_size:
            continue
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if pattern.search(content):
                paths.append(str(path.relative_to(workspace.root)))
    return paths


def _ids_of(person: Person) -> list[str]:
    return [person.customer, *sorted(person.applications), *sorted(person.decisions)]


def _pattern(ids: Iterable[str]) -> "re.Pattern[bytes]":
    return re.compile(rb"(?<!\w)(?:" + b"|".join(re.escape(one.encode()) for one in ids) + rb")(?!\w)")
