"""The state of a promotion ledger: champion, open requests, and the stage of each version."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pipelines.storage.chain import ChainBroken, Entry

REQUESTED, REFUSED, APPROVED = "requested", "refused", "approved"
PROMOTED, ROLLED_BACK = "promoted", "rolled_back"
POLICY_SET, EXCEPTION, SIGNERS_SET = "policy", "exception", "signers"

CHAMPION_STAGE, RETIRED, LAPSED = "champion", "retired", "lapsed"
"""Stages of a version beside `requested` and `refused`."""


@dataclass(frozen=True)
class LedgerPolicy:
    """The policy of a registered model: its name, its hash, all its settings, and the entry that set it."""

    name: str
    hash: str
    settings: Mapping[str, Any]
    entry: Entry


@dataclass
class LedgerState:
    """The state after a ledger's entries, applied in order.

    A request is open until it is promoted, its version is judged again, or the champion or the policy of the model
    changes: then it lapses and must be made again. `stages` has the stage tag that the registry must have for each
    version.
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
    policy: LedgerPolicy | None = None
    """Set by an entry of its own, else by the first promotion."""
    exceptions: dict[tuple[int, str], Entry] = field(default_factory=dict)
    """The exception for a version and the hash of another policy than that of the model."""
    signers: Entry | None = None
    """The entry that last recorded the file of allowed signers."""
    last: Entry | None = None

    @property
    def champion(self) -> int | None:
        """The version that is champion, None before the first promotion."""
        return self.champions[-1] if self.champions else None

    def add(self, entry: Entry) -> None:
        """Apply one entry. Raises ChainBroken for an entry without the fields of a decision."""
        try:
            str(entry.content["by"])
            self._add(entry, str(entry.content["decision"]))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise ChainBroken(
                f"entry {entry.sequence} of the ledger has a missing or invalid field: {error}; restore the database "
                "from a copy"
            ) from error
        self.last = entry

    def _add(self, entry: Entry, decision: str) -> None:
        if decision == POLICY_SET:
            self.policy = _policy(entry.content, entry)
            self._lapse_under_others(entry)
            return
        if decision == SIGNERS_SET:
            self.signers = entry
            return
        version = whole(entry.content["version"])
        if decision in (REQUESTED, REFUSED):
            self._judge(entry, decision, version)
        elif decision == APPROVED:
            request = whole(entry.content["request"])
            self._require_request_of(request, version, "approval")
            self.approvals.setdefault(request, []).append(entry)
        elif decision == EXCEPTION:
            self.exceptions[version, str(entry.content["policy_hash"])] = entry
        elif decision == PROMOTED:
            request = whole(entry.content["request"])
            self._require_request_of(request, version, "promotion")
            self._close(request, entry)
            self.promotions[version] = entry
            if self.policy is None:
                self.policy = _policy(section(self.requests[request].content, "evidence", "about") or {}, entry)
            self._set_champion(entry, version)
        elif decision == ROLLED_BACK:
            if version not in self.promotions:
                raise ValueError(f"rollback to version {version}, which never was champion")
            self._set_champion(entry, version)
        else:
            raise ValueError(f"decision '{decision}'")

    def _require_request_of(self, request: int, version: int, decision: str) -> None:
        if request not in self.requests:
            raise ValueError(f"{decision} by entry {request}, which is no request")
        asked = self.requests[request].content["version"]
        if asked != version:
            raise ValueError(f"{decision} of version {version} by request {request}, which is for version {asked}")

    def _judge(self, entry: Entry, decision: str, version: int) -> None:
        for sequence in [number for number, other in self.open.items() if other.content["version"] == version]:
            self._close(sequence, entry)
        self.judgements[version] = entry
        if decision == REQUESTED:
            self.requests[entry.sequence] = self.open[entry.sequence] = entry
        if version != self.champion:
            self.stages[version] = decision

    def _lapse_under_others(self, entry: Entry) -> None:
        """Close the open requests that were judged by another policy than the one that an entry sets."""
        for sequence, request in list(self.open.items()):
            if self.policy is None or request.content.get("policy_hash") == self.policy.hash:
                continue
            self.stages[whole(request.content["version"])] = LAPSED
            self._close(sequence, entry)

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


class ReadableLedger(Protocol):
    """A ledger that was read: what signers, approvals and authority are judged by."""

    @property
    def name(self) -> str:
        """The name of the chain, which every signature covers."""

    @property
    def model(self) -> str:
        """The registered model."""

    @property
    def overrides(self) -> str:
        """The overrides by which another command finds the ledger, each after a space."""

    @property
    def scratch(self) -> Path:
        """A folder for temporary files."""

    @property
    def entries(self) -> Sequence[Entry]:
        """All entries in order."""

    @property
    def state(self) -> LedgerState:
        """The state after them."""


def _policy(content: Mapping[str, Any], entry: Entry) -> LedgerPolicy | None:
    """Return the policy in an entry; None for an entry of a test, or of an earlier version, that has none."""
    settings = content.get("policy")
    if not isinstance(settings, Mapping):
        return None
    return LedgerPolicy(str(settings.get("name")), str(content["policy_hash"]), settings, entry)


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
