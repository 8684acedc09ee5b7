"""The state of a promotion ledger: champion, open requests, and the stage of each version."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.storage.chain import ChainBroken, Entry

REQUESTED, REFUSED, APPROVED = "requested", "refused", "approved"
PROMOTED, ROLLED_BACK = "promoted", "rolled_back"

CHAMPION_STAGE, RETIRED, LAPSED = "champion", "retired", "lapsed"
"""Stages of a version beside `requested` and `refused`."""


@dataclass
class LedgerState:
    """The state after a ledger's entries, applied in order.

    A request is open until it is promoted, its version is judged again, or the champion changes: then it lapses and
    must be made again. `stages` has the stage tag that the registry must have for each version.
    """

    champions: list[int] = field(default_factory=list)
    """The champions that a rollback would return to, the present one last."""
    champion_entry: Entry | None = None
    """The entry that made the champion."""
    requests: dict[int, Entry] = field(default_factory=dict)
    open: dict[int, Entry] = field(default_factory=dict)
    closed_by: dict[int, Entry] = field(default_factory=dict)
    approvals: dict[int, list[Entry]] = field(default_factory=dict)
    promotions: dict[int, Entry] = field(default_factory=dict)
    """The last promotion of every version that ever was champion."""
    judgements: dict[int, Entry] = field(default_factory=dict)
    """The last request or refusal of every version."""
    stages: dict[int, str] = field(default_factory=dict)
    last: Entry | None = None

    @property
    def champion(self) -> int | None:
        """The version that is champion, None before the first promotion."""
        return self.champions[-1] if self.champions else None

    def add(self, entry: Entry) -> None:
        """Apply one entry. Raises ChainBroken for an entry without the fields of a decision."""
        try:
            self._add(entry, str(entry.content["decision"]), whole(entry.content["version"]))
        except (KeyError, ValueError) as error:
            raise ChainBroken(
                f"entry {entry.sequence} of the ledger has a missing or invalid field: {error}; restore the database "
                "from a copy"
            ) from error
        self.last = entry

    def _add(self, entry: Entry, decision: str, version: int) -> None:
        if decision in (REQUESTED, REFUSED):
            self._judge(entry, decision, version)
        elif decision == APPROVED:
            self.approvals.setdefault(whole(entry.content["request"]), []).append(entry)
        elif decision == PROMOTED:
            self._close(whole(entry.content["request"]), entry)
            self.promotions[version] = entry
            self._set_champion(entry, version)
        elif decision == ROLLED_BACK:
            self._set_champion(entry, version)
        else:
            raise ValueError(f"decision '{decision}'")

    def _judge(self, entry: Entry, decision: str, version: int) -> None:
        for sequence in [number for number, other in self.open.items() if other.content["version"] == version]:
            self._close(sequence, entry)
        self.judgements[version] = entry
        if decision == REQUESTED:
            self.requests[entry.sequence] = self.open[entry.sequence] = entry
        if version != self.champion:
            self.stages[version] = decision

    def _set_champion(self, entry: Entry, version: int) -> None:
        for sequence, request in list(self.open.items()):
            self.stages[whole(request.content["version"])] = LAPSED
            self._close(sequence, entry)
        if self.champion is not None:
            self.stages[self.champion] = RETIRED
        if version in self.champions:
            del self.champions[self.champions.index(version) + 1 :]
        else:
            self.champions.append(version)
        self.stages[version] = CHAMPION_STAGE
        self.champion_entry = entry

    def _close(self, request: int, by: Entry) -> None:
        self.open.pop(request, None)
        self.closed_by[request] = by


def ledger_state_of(entries: Iterable[Entry]) -> LedgerState:
    """Return the state after entries. Raises ChainBroken for an entry without the fields of a decision."""
    state = LedgerState()
    for entry in entries:
        state.add(entry)
    return state


def whole(value: object) -> int:
    """Return a whole number of an entry. Raises ValueError for anything else."""
    if not isinstance(value, int):
        raise ValueError(f"whole number '{value}'")
    return value


def section(content: Mapping[str, object], *path: str) -> Any:
    """Return the value at a path of names in an entry, None where a name is missing.

    >>> section({"evidence": {"about": {"rows": 7}}}, "evidence", "about", "rows")
    7
    """
    value: Any = content
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
