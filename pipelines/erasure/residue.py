"""Files that are no tables and still name a person: what nobody can erase from them, a person must look at."""

import mmap
import re
from collections.abc import Sequence
from pathlib import Path

from pipelines.erasure.files import files_below
from pipelines.storage.workspace import Workspace

SHORTEST = 5
"""Letters; shorter ids stand by chance in any file of numbers."""

OURS = ("erasure.json",)


def files_that_name(workspace: Workspace, ids: Sequence[str]) -> list[str]:
    """Return the files, below the workspace, that hold one of these ids as a word; tables have been searched already.

    Reports, models and databases hold no ids of people by themselves; a reason that somebody gave may.
    """
    words = [re.escape(one.encode()) for one in ids if len(one) >= SHORTEST]
    if not words:
        return []
    pattern = re.compile(rb"(?<!\w)(?:" + b"|".join(words) + rb")(?!\w)")
    return [
        str(path.relative_to(workspace.root))
        for path in files_below(workspace.root)
        if path.suffix != ".parquet" and path.name not in OURS and _holds(path, pattern)
    ]


def _holds(path: Path, pattern: "re.Pattern[bytes]") -> bool:
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return pattern.search(content) is not None
