"""What a test part was used for before: evidence lists it, gates judge it, and `promote verify` counts it again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.ledger.ledger_state import REFUSED, REQUESTED, section
from pipelines.secrets.environment_text import to_record
from pipelines.storage.chain import Entry
from pipelines.storage.fingerprint import fingerprint_record

Record = Mapping[str, Any]


def earlier_tests(entries: Sequence[Entry], about: Record) -> list[dict[str, Any]]:
    """Return the judgements on the test part that `about` names, oldest first, as JSON values.

    Each test is listed once: a judgement of the same version by the same policy against the same champion is the same
    test however often it is made, and none of those after it came before it.
    """
    ours, tests = _identity(about), dict[str, Entry]()
    for entry in _judgements(entries, about["test_part"]):
        test = _identity(section(entry.content, "evidence", "about") or {})
        if test == ours:
            break
        tests.setdefault(test, entry)
    return [_test(entry.content) | {"entry": entry.sequence} for entry in tests.values()]


def tried_before(entries: Sequence[Entry], test_part: str, model_hash: str) -> int:
    """Return how many other models were compared with a champion on a test part, refused or not."""
    compared = [entry for entry in _judgements(entries, test_part) if entry.content["champion"] is not None]
    return len({str(entry.content["model_hash"]) for entry in compared} - {model_hash})


def use_of_test_part(entries: Sequence[Entry], about: Record) -> dict[str, Any]:
    """Return the parts of an evidence record about the use of its test part before."""
    return {
        "tried_before": tried_before(entries, str(about["test_part"]), str(about["model_hash"])),
        "earlier_tests": earlier_tests(entries, about),
    }


def use_findings(entries: Sequence[Entry], evidence: Record) -> Iterator[str]:
    """Yield where evidence does not say what the entries before it show."""
    if "earlier_tests" not in evidence:  # evidence of an earlier version, which recorded less
        return
    for name, use in use_of_test_part(entries, evidence["about"]).items():
        if evidence[name] != use:
            yield f"its {name} is not what the entries before it show"


def _judgements(entries: Sequence[Entry], test_part: str) -> Iterator[Entry]:
    for entry in entries:
        if entry.content["decision"] in (REQUESTED, REFUSED) and entry.content["test_part"] == test_part:
            yield entry


def _identity(about: Record) -> str:
    """Return the hash of all that decides the figures of a test: models, data, policy, champion and seed."""
    inputs = {name: value for name, value in about.items() if name != "exception"}
    return fingerprint_record(to_record(json.loads(json.dumps(inputs, default=str))))


def _test(content: Record) -> dict[str, Any]:
    gates = section(content, "evidence", "gates") or []
    return {
        "version": content["version"],
        "decision": content["decision"],
        "policy": section(content, "evidence", "about", "policy", "name"),
        "failed": [gate["gate"] for gate in gates if gate["blocking"] and not gate["passed"]],
    }
