"""The alarm log: a hash chain of alarms raised, kept quiet and acknowledged, and of actions done or failed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

from monitoring.alarms.alarm import Alarm
from pipelines.storage.chain import ChainBroken, Entry
from pipelines.storage.chain_head import ChainHead
from pipelines.storage.lock import file_lock
from pipelines.storage.own_chain import existing_own_chain, own_chain
from pipelines.storage.workspace import Workspace

CHAIN = "alarms"


class Event(Enum):
    """The kind of an entry."""

    RAISED = "raised"
    INCONCLUSIVE = "inconclusive"
    QUIET = "quiet"
    ACKNOWLEDGED = "acknowledged"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Logged:
    """One entry of the log, its event and its alarm."""

    entry: Entry
    event: Event
    alarm: Alarm

    @property
    def number(self) -> int:
        """The number of the entry in the log."""
        return self.entry.sequence

    @property
    def content(self) -> Mapping[str, Any]:
        """The fields of the entry, such as `because`, `by` and `why`, or `what` was done and its `detail`."""
        return self.entry.content

    @classmethod
    def read(cls, entry: Entry) -> "Logged":
        """Return an entry with its alarm. Raises ChainBroken for an entry that is not of an alarm."""
        try:
            return cls(entry, Event(entry.content["event"]), Alarm.from_record(entry.content))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise ChainBroken(
                f"entry {entry.sequence} of the chain '{CHAIN}' is not an alarm ({error}); restore the database from a "
                "backup"
            ) from error


def outcome_of(action: str, raised: Logged, entries: Sequence[Logged]) -> Logged | None:
    """Return the last entry on the outcome of an action on a raised alarm, None without one."""
    outcomes = (Event.DONE, Event.FAILED)
    about = {"entry": raised.number, "what": action}.items()
    return next((one for one in reversed(entries) if one.event in outcomes and about <= one.content.items()), None)


def has_acted(raised: Logged, entries: Sequence[Logged]) -> bool:
    """Return whether all planned actions on a raised alarm are done."""
    outcomes = [outcome_of(action, raised, entries) for action in raised.content["actions"]]
    return all(one is not None and one.event is Event.DONE for one in outcomes)


class AlarmLog:
    """The alarm log of a workspace; reading it creates no files."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._head = ChainHead(workspace, CHAIN)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock for raising, acting and acknowledging during the block.

        Of two concurrent commands on the same report, the second reads what the first has done. Other chains are not
        locked, because an action may wait for a network.
        """
        if self._workspace.database:
            with own_chain(self._workspace, CHAIN).locked():
                yield
        else:
            with file_lock(self._workspace.heads / f"{CHAIN}.lock"):
                yield

    def read(self) -> list[Logged]:
        """Return all entries in order. Raises ChainBroken where the chain was changed."""
        head = self._head.read()  # before the entries, because it moves after them
        chain = existing_own_chain(self._workspace, CHAIN)
        entries = [] if chain is None else chain.entries()
        self._head.check(head, entries)
        return [Logged.read(entry) for entry in entries]

    def write(self, event: Event, alarm: Alarm, after: list[Logged], **fields: object) -> Logged:
        """Append an entry to the log and to `after`. Raises ChainConflict where another process appended first."""
        content = {"event": event.value, "alarm": alarm.id, **alarm.record(), **fields}
        chain = own_chain(self._workspace, CHAIN)
        entry = chain.append(content, after=len(after))
        self._head.move_to(entry, chain)
        after.append(Logged(entry, event, alarm))
        return after[-1]
