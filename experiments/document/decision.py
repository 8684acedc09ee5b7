"""Where a version stands, read from the ledger: its state, who agreed, and which gates stand in the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.document.facts import DocumentFacts, Record
from experiments.document.formatting import day

REQUESTED, APPROVED, PROMOTED, REFUSED, ROLLED_BACK = "requested", "approved", "promoted", "refused", "rolled_back"
"""The decisions that a ledger's entry may tell."""

JUDGED = (REQUESTED, REFUSED)
CROWNED = (PROMOTED, ROLLED_BACK)


@dataclass(frozen=True)
class Verdict:
    """`state` in one or two words, `sentence` in full; `approvals` are those of the latest request.

    `asked` is how many people the policy wants to agree, `agreed` how many have, as the policy counts them.
    """

    state: str
    sentence: str
    approvals: tuple[Record, ...]
    asked: int
    agreed: int


def verdict_of(facts: DocumentFacts) -> Verdict:
    """Return where the version stands after the ledger's last entry."""
    about = [entry for entry in facts.entries if entry.get("version") == facts.version]
    request = next((entry for entry in reversed(about) if entry.get("decision") in JUDGED), None)
    approvals = tuple(_approvals_of(request, about))
    settings = _approval_settings(facts)
    asked, agreed = int(settings.get("people") or 0), len(_who_count(approvals, request, settings))
    state, sentence = _state(facts, request, max(asked - agreed, 0), asked)
    return Verdict(state, sentence, approvals, asked, agreed)


def blocking(gates: Sequence[Any]) -> list[Any]:
    """Return the gates that stand in the way: failed, and not only advisory."""
    return [gate for gate in gates if not gate["passed"] and gate.get("blocking", True)]


def _approval_settings(facts: DocumentFacts) -> Record:
    policy = ((facts.evidence or {}).get("about") or {}).get("policy") or {}
    return policy.get("approvals") or {}


def _approvals_of(request: Record | None, about: Sequence[Record]) -> list[Record]:
    after = request["sequence"] if request else 0
    return [entry for entry in about if entry.get("decision") == APPROVED and entry["sequence"] > after]


def _who_count(approvals: Sequence[Record], request: Record | None, settings: Record) -> set[str]:
    """Return the different people whose approval counts under the policy."""
    people = {str(one.get("by")) for one in approvals if one.get("authenticated") or not settings.get("signed")}
    return people - ({str(request.get("by"))} if request and not settings.get("requester_may_approve", True) else set())


def _state(facts: DocumentFacts, request: Record | None, wanting: int, asked: int) -> tuple[str, str]:
    crowned = [entry for entry in facts.entries if entry.get("decision") in CROWNED]
    named = f"{facts.model} version {facts.version}"
    if crowned and crowned[-1].get("version") == facts.version:
        return "champion", f"{named} is the champion since {_told(crowned[-1])}."
    was_champion = any(entry.get("version") == facts.version for entry in crowned)
    last_crowned = crowned[-1]["sequence"] if crowned else 0
    if request is None and not was_champion:
        if (facts.evidence or {}).get("gates"):
            return "judged", f"{named} has been judged; the ledger holds no decision about it yet."
        return "not judged", f"Nobody has asked for the promotion of {named} yet."
    if request is not None and request["sequence"] > last_crowned:
        if request["decision"] == REFUSED:
            return "refused", f"{named} was refused on {_told(request)}."
        waits = f"it waits for {wanting} of {asked} approvals" if wanting else "it waits to be applied"
        return "requested", f"The promotion of {named} was asked for on {_told(request)}; {waits}."
    if was_champion:
        successor = crowned[-1]
        return "retired", f"{named} was champion; version {successor['version']} is since {_told(successor)}."
    assert request is not None
    if request["decision"] == REFUSED:
        return "refused", f"{named} was refused on {_told(request)}."
    return "lapsed", (
        f"The promotion of {named} was asked for on {_told(request)}, against a champion that has changed since; "
        "who still wants it asks again."
    )


def _told(entry: Record) -> str:
    return f"{day(entry.get('written_at'))} (ledger entry {entry.get('sequence')})"
