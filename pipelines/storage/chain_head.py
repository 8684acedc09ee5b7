"""The head of a chain, kept in a file apart from it: with it a chain that has lost its last entries is found."""

import json
from collections.abc import Sequence
from pathlib import Path

from pipelines.storage.atomic_files import whole_file
from pipelines.storage.chain import Chain, ChainBroken, Entry
from pipelines.storage.workspace import Workspace


class ChainHead:
    """The length of a chain and the hash of its last entry.

    A writer moves it after the entry, so that it may be one entry behind and never ahead. A reader of both reads the
    head first.
    """

    def __init__(self, workspace: Workspace, chain: str) -> None:
        self.path: Path = workspace.heads / f"{chain}.json"
        self._chain = chain

    def read(self) -> tuple[int, str] | None:
        """Return length and hash, None before the first entry. Raises ChainBroken for a damaged file."""
        if not self.path.exists():
            return None
        try:
            head = json.loads(self.path.read_text())
            return int(head["entries"]), str(head["hash"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ChainBroken(f"{self._chain}: its head '{self.path}' cannot be read ({error}); restore it") from error

    def chain(self) -> str | None:
        """Return the name of the chain whose head this is, None before the first entry."""
        if self.read() is None:
            return None
        return str(json.loads(self.path.read_text()).get("chain", self._chain))

    def check(self, head: tuple[int, str] | None, entries: Sequence[Entry]) -> None:
        """Raise ChainBroken where a chain does not reach its head, or reaches it with another entry."""
        if head is None:
            return
        length, hash_ = head
        if length > len(entries):
            raise ChainBroken(
                f"{self._chain}: it has {len(entries)} entries where {length} were written; restore the database from "
                "a copy"
            )
        if length and entries[length - 1].hash != hash_:
            raise ChainBroken(
                f"{self._chain}: entry {length} is not the one that was written (hash "
                f"{entries[length - 1].hash[:12]}, recorded {hash_[:12]}); restore the database from a copy"
            )

    def move_to(self, entry: Entry, chain: Chain) -> None:
        """Record an entry as the last of its chain."""
        head = {"entries": entry.sequence, "hash": entry.hash, "chain": chain.name}
        with whole_file(self.path) as temporary:
            temporary.write_text(json.dumps(head) + "\n")
