"""The alarm log: a chain of what was raised, kept quiet, acknowledged, and done about it or failed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

from monitoring.alarms.alarm import Alarm
from pipelines.storage.chain import Chain, ChainBroken, Entry
from pipelines.storage.chain_head import ChainHead
from pipelines.storage.lock import exclusive
from pipelines.storage.workspace import Workspace

CHAIN = "alarms"


class Event(Enum):
    """What an entry tells."""

    RAISED = "raised"
    QUIET = "quiet"
    ACKNOWLEDGED = "acknowledged"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Logged:
    """One entry as it is read: the alarm that it is about, what it tells, and the words that go with that."""

    entry: Entry
    event: Event
    alarm: Alarm

    @property
    def number(self) -> int:
        """The entry's place in the log."""
        return self.entry.sequence

    @property
    def words(self) -> Mapping[str, Any]:
        """What the entry says beside the alarm: `because`, `by` and `why`, `what` was done and its `detail`."""
        return self.entry.content

    @classmethod
    def read(cls, entry: Entry) -> "Logged":
        """Return an entry as it is read. Raises ChainBroken for one that is not of an alarm."""
        told: Mapping[str, Any] = entry.content
        try:
            return cls(entry, Event(told["event"]), Alarm.read(told))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise ChainBroken(
                f"{CHAIN}: entry {entry.sequence} is not one of an alarm ({error}); restore the database from a copy"
            ) from error


def outcome_of(action: str, raised: Logged, entries: Sequence[Logged]) -> Logged | None:
    """Return the last entry that tells what came of an action about a raised alarm, None before there is one."""
    outcomes = (Event.DONE, Event.FAILED)
    about = {"entry": raised.number, "what": action}.items()
    return next((one for one in reversed(entries) if one.event in outcomes and about <= one.words.items()), None)


def has_acted(raised: Logged, entries: Sequence[Logged]) -> bool:
    """Return whether all that was to be done about a raised alarm is done."""
    outcomes = [outcome_of(action, raised, entries) for action in raised.words["actions"]]
    return all(one is not None and one.event is Event.DONE for one in outcomes)


class AlarmLog:
    """The alarms of a workspace. To read creates nothing."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._head = ChainHead(workspace, CHAIN)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one who raises, acts and acknowledges for the length of the block.

        Of commands on the same report that run at once the second finds what the first has done. Other chains are not
        held up: an action may wait for a network.
        """
        if self._workspace.database:
            with Chain(self._workspace, CHAIN).exclusive():
                yield
        else:
            with exclusive(self._workspace.heads / f"{CHAIN}.lock"):
                yield

    def read(self) -> list[Logged]:
        """Return all entries in order. Raises ChainBroken when the chain is not what was written."""
        head = self._head.read()  # before the entries, for it is moved after them
        exists = self._workspace.database is not None or self._workspace.chain.exists()
        entries = Chain(self._workspace, CHAIN).entries() if exists else []
        self._head.check(head, entries)
        return [Logged.read(entry) for entry in entries]

    def write(self, event: Event, alarm: Alarm, after: list[Logged], **words: object) -> Logged:
        """Append an entry to those that were read, and to the list. Raises ChainConflict where somebody else has."""
        content = {"event": event.value, "alarm": alarm.id, **alarm.told(), **words}
        entry = Chain(self._workspace, CHAIN).append(content, after=len(after))
        self._head.move_to(entry)
        after.append(Logged(entry, event, alarm))
        return after[-1]
