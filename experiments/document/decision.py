"""The state of a version by the ledger: decision, approvals, and the gates that block it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.document.facts import DocumentFacts, Record
from experiments.document.formatting import day

REQUESTED, APPROVED, PROMOTED, REFUSED, ROLLED_BACK = "requested", "approved", "promoted", "refused", "rolled_back"
"""The decisions of ledger entries."""

JUDGED = (REQUESTED, REFUSED)
CROWNED = (PROMOTED, ROLLED_BACK)


@dataclass(frozen=True)
class Verdict:
    """`state` in one or two words, `sentence` in full; `approvals` are those of the latest request.

    `required` is how many people must approve, `agreed` how many have, as the policy counts them.
    """

    state: str
    sentence: str
    approvals: tuple[Record, ...]
    required: int
    agreed: int


def verdict_of(facts: DocumentFacts) -> Verdict:
    """Return the state of the version after the last entry of the ledger."""
    about = [entry for entry in facts.entries if entry.get("version") == facts.version]
    request = next((entry for entry in reversed(about) if entry.get("decision") in JUDGED), None)
    approvals = tuple(_approvals_of(request, about))
    settings = _approval_settings(facts)
    required, agreed = int(settings.get("people") or 0), len(_who_count(approvals, request, settings))
    state, sentence = _state(facts, request, max(required - agreed, 0), required)
    return Verdict(state, sentence, approvals, required, agreed)


def blocking(gates: Sequence[Any]) -> list[Any]:
    """Return the failed gates that are not advisory."""
    return [gate for gate in gates if not gate["passed"] and gate.get("blocking", True)]


def _approval_settings(facts: DocumentFacts) -> Record:
    policy = ((facts.evidence or {}).get("about") or {}).get("policy") or {}
    return policy.get("approvals") or {}


def _approvals_of(request: Record | None, about: Sequence[Record]) -> list[Record]:
    after = request["sequence"] if request else 0
    return [entry for entry in about if entry.get("decision") == APPROVED and entry["sequence"] > after]


def _who_count(approvals: Sequence[Record], request: Record | None, settings: Record) -> set[str]:
    people = {str(one.get("by")) for one in approvals if one.get("authenticated") or not settings.get("signed")}
    return people - ({str(request.get("by"))} if request and not settings.get("requester_may_approve", True) else set())


def _state(facts: DocumentFacts, request: Record | None, missing: int, required: int) -> tuple[str, str]:
    crowned = [entry for entry in facts.entries if entry.get("decision") in CROWNED]
    named = f"{facts.model} version {facts.version}"
    if crowned and crowned[-1].get("version") == facts.version:
        return "champion", f"{named} is the champion since {_dated(crowned[-1])}."
    was_champion = any(entry.get("version") == facts.version for entry in crowned)
    last_crowned = crowned[-1]["sequence"] if crowned else 0
    if request is None and not was_champion:
        if (facts.evidence or {}).get("gates"):
            return "judged", f"{named} has been judged; the ledger holds no decision about it yet."
        return "not judged", f"The promotion of {named} has not been requested yet."
    if request is not None and request["sequence"] > last_crowned:
        if request["decision"] == REFUSED:
            return "refused", f"{named} was refused on {_dated(request)}."
        waits = f"it waits for {missing} of {required} approvals" if missing else "it waits to be applied"
        return "requested", f"The promotion of {named} was requested on {_dated(request)}; {waits}."
    if was_champion:
        successor = crowned[-1]
        return "retired", f"{named} was champion; version {successor['version']} replaced it on {_dated(successor)}."
    assert request is not None
    if request["decision"] == REFUSED:
        return "refused", f"{named} was refused on {_dated(request)}."
    return "lapsed", (
        f"The promotion of {named} was requested on {_dated(request)}, against a champion that has changed since; "
        "request it again."
    )


def _dated(entry: Record) -> str:
    return f"{day(entry.get('written_at'))} (ledger entry {entry.get('sequence')})"
