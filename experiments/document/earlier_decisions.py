"""Judgements on the test part of a version, of itself and of others, and the exceptions of these versions."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.document.decision import REFUSED, REQUESTED
from experiments.document.facts import DocumentFacts, Record

EXCEPTION = "exception"
"""The decision of a ledger entry that allows a version to be judged by another policy than that of the model."""


def judgements_of(facts: DocumentFacts) -> list[dict[str, Any]]:
    """Return every judgement of this version, and of others on its test part, oldest first, as JSON values.

    `failed` are the gates that refused, `warned` those that failed and did not block, `unmeasured` those that did not
    block although they were not measured; each with its sentence. `exceptions` are what the ledger calls so.
    """
    test_part = _test_part(facts)
    judged = [entry for entry in facts.entries if entry.get("decision") in (REQUESTED, REFUSED)]
    return [
        _judgement(entry)
        for entry in judged
        if entry.get("version") == facts.version or (test_part is not None and entry.get("test_part") == test_part)
    ]


def exceptions_of(facts: DocumentFacts) -> list[dict[str, Any]]:
    """Return the exceptions of this version, and of others on its test part, as JSON values."""
    versions = {facts.version, *(one["version"] for one in judgements_of(facts))}
    granted = [
        entry for entry in facts.entries if entry.get("decision") == EXCEPTION and entry.get("version") in versions
    ]
    return [
        {
            "entry": entry.get("sequence"),
            "version": entry.get("version"),
            "policy": entry.get("policy_name"),
            "by": entry.get("by"),
            "authenticated": bool(entry.get("authenticated")),
            "why": entry.get("why") or "",
        }
        for entry in granted
    ]


def _test_part(facts: DocumentFacts) -> str | None:
    about = (facts.evidence or {}).get("about") or {}
    if about.get("test_part"):
        return str(about["test_part"])
    ours = [entry["test_part"] for entry in facts.entries if entry.get("version") == facts.version
            and entry.get("test_part")]  # fmt: skip
    return str(ours[-1]) if ours else None


def _judgement(entry: Record) -> dict[str, Any]:
    evidence = entry.get("evidence") or {}
    about, gates = evidence.get("about") or {}, evidence.get("gates") or []
    policy = about.get("policy") or {}
    return {
        "entry": entry.get("sequence"),
        "written_at": entry.get("written_at"),
        "version": entry.get("version"),
        "decision": entry.get("decision"),
        "by": entry.get("by"),
        "policy": policy.get("name"),
        "claim": (policy.get("gates") or {}).get("claim"),
        "exception": _exception(entry, policy),
        "failed": _named(gate for gate in gates if not gate.get("passed") and gate.get("blocking", True)),
        "warned": _named(gate for gate in gates if _is_passed_over(gate) and gate.get("answer") != "not measured"),
        "unmeasured": _named(gate for gate in gates if _is_passed_over(gate) and gate.get("answer") == "not measured"),
    }


def _exception(entry: Record, policy: Record) -> str | None:
    recorded = entry.get("exception")
    if not isinstance(recorded, Mapping):
        return None
    signed = f"signed by {recorded['by']}, entry {recorded['granted']}" if recorded.get("granted") else "unsigned"
    return (
        f"policy '{policy.get('name')}' in place of '{recorded.get('policy_name')}', the policy of the model; {signed}"
    )


def _is_passed_over(gate: Record) -> bool:
    return not gate.get("passed") and not gate.get("blocking", True)


def _named(gates: Any) -> list[dict[str, str]]:
    some: Sequence[Record] = list(gates)
    return [{"gate": str(gate.get("gate")), "sentence": str(gate.get("sentence") or "")} for gate in some]
