"""The chain of erasures: who erased a customer, when and why, and what was removed; ids as salted hashes alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.erasures.salt import Kind, hashed, salt_of
from pipelines.storage.chain import Chain, Entry
from pipelines.storage.chain_head import ChainHead
from pipelines.storage.workspace import Workspace
from pipelines.storage.workspace_id import ensure_workspace_id, workspace_id

CHAIN = "erasures"
NOTES = "erasures"
"""The key under which manifests note erasures."""

CUSTOMER = "customer_id"
"""The column that names a person."""

COLUMNS = "columns"
"""Key of an entry: the user's own columns of customer ids that were searched."""

WORKSPACE = "workspace"
"""Key of an entry in a shared database: the id of the workspace that erased."""

BEGUN, ERASED = "begun", "erased"


@dataclass(frozen=True)
class Erasures:
    """The erasures of a chain, which workspaces may share; hashes by kind of id.

    `unfinished` has the entries that began an erasure of this workspace which has not ended, by the customer's hash.
    """

    salt: str = ""
    entries: tuple[Entry, ...] = ()
    hashes: Mapping[Kind, frozenset[str]] = field(default_factory=dict)
    unfinished: Mapping[str, Entry] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.entries)

    def erased(self, kind: Kind, identity: str) -> Entry | None:
        """Return the entry that began the last erasure of an id, None where it never was erased."""
        if not self.entries:
            return None
        identity_hash = hashed(self.salt, kind, identity)
        return next((one for one in reversed(self.entries) if identity_hash in hashes_of(one, kind)), None)

    @property
    def customers(self) -> frozenset[str]:
        """The hashes of erased customers."""
        return self.hashes.get(Kind.customer, frozenset())

    def finished(self, begun: Entry) -> Entry | None:
        """Return the entry that ended an erasure."""
        return next((one for one in self.entries if one.content.get("begun") == begun.sequence), None)

    def leads_to(self, before: str, after: str) -> list[Entry]:
        """Return the erasures that made the data of one fingerprint that of another; none where they did not."""
        path, now = list[Entry](), before
        for entry in self.entries:
            change = next((one for one in _changes(entry) if one["before"] == now != one["after"]), None)
            if change is not None:
                now = str(change["after"])
                path.append(entry)
                if now == after:
                    return path
        return []


def read_erasures(workspace: Workspace) -> Erasures:
    """Return who was erased from a workspace, or from one that shares its database; creates no files.

    Raises:
        ChainBroken: the chain was changed.
    """
    head = ChainHead(workspace, CHAIN)
    reached = head.read()
    exists = workspace.database is not None or workspace.chain.exists()
    entries = Chain(workspace, CHAIN).entries() if exists else []
    head.check(reached, entries)
    if not entries:
        return Erasures()
    own = workspace_id(workspace)
    ended = {entry.content.get("begun") for entry in entries}
    begun = [entry for entry in entries if entry.content["action"] == BEGUN]
    return Erasures(
        salt_of(workspace),
        tuple(entries),
        {kind: frozenset(one for entry in begun for one in hashes_of(entry, kind)) for kind in Kind},
        {
            str(entry.content["customer"]): entry
            for entry in begun
            if entry.sequence not in ended and entry.content.get(WORKSPACE, own) == own
        },
    )


def write_erasure(workspace: Workspace, content: Mapping[str, object]) -> Entry:
    """Append an entry; those of other workspaces may come between the entries of one erasure."""
    chain = Chain(workspace, CHAIN)
    own = {} if workspace.database is None else {WORKSPACE: ensure_workspace_id(workspace)}
    with chain.locked():
        entry = chain.append({**content, **own}, after=chain.length())
        ChainHead(workspace, CHAIN).move_to(entry, chain)
    return entry


def hashes_of(entry: Entry, kind: Kind) -> Sequence[str]:
    """Return the hashes of one kind of id that an entry names."""
    if entry.content["action"] != BEGUN:
        return ()
    if kind is Kind.customer:
        return (str(entry.content["customer"]),)
    values: Any = entry.content[f"{kind.value}s"]
    return [str(one) for one in values]


def _changes(entry: Entry) -> Iterable[Mapping[str, Any]]:
    values: Any = entry.content.get("data", ())
    return [one for one in values if one]
