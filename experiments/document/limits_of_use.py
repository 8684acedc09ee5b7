"""The limits within which a version was measured, and may be used."""

from collections.abc import Iterator
from typing import Any

from experiments.document.facts import DocumentFacts, Record
from experiments.document.formatting import brief, day
from pipelines.charts.number_formats import count


def limits_of_use(facts: DocumentFacts) -> list[dict[str, str]]:
    """Return each limit by its name and in words."""
    return [{"limit": name, "within": words} for name, words in _limits(facts)]


def _limits(facts: DocumentFacts) -> Iterator[tuple[str, str]]:
    evidence, data = facts.evidence or {}, (facts.settings or {}).get("data") or {}
    yield "population", "people who apply; not the book of customers who did not"
    yield from _outcome(facts, data)
    about, development = evidence.get("about") or {}, evidence.get("development") or {}
    if development.get("first") and development.get("last"):
        rows = count(about.get("development_rows"))
        yield "learnt from", f"{rows} applications from {day(development['first'])} to {day(development['last'])}"
    elif about.get("development_rows"):
        yield "learnt from", f"{count(about['development_rows'])} applications without dates"
    if about.get("first"):
        yield "tested on", f"{count(about['rows'])} applications from {day(about['first'])} to {day(about['last'])}"
    amount = _feature(evidence, data.get("amount"))
    if amount and amount.get("range"):
        low, high = amount["range"]
        yield "amounts", f"from {brief(low, 6)} to {brief(high, 6)} ({data['amount']}, 98% of what it was learnt from)"
    policy = about.get("policy") or (facts.settings or {}).get("policy") or {}
    if policy.get("approve_from") is not None:
        yield "decisions", f"approvals from {policy['approve_from']} points on; other cut-offs need their own evidence"
    yield (
        "values",
        "a feature outside of its range below is extrapolated; a level that was never seen counts as missing",
    )


def _outcome(facts: DocumentFacts, data: Record) -> Iterator[tuple[str, str]]:
    loan: Any = ((facts.prepared or {}).get("configuration") or {}).get("loan") or {}
    bad = loan.get("bad") or {}
    if bad:
        window = f"{bad['window_days']} days" if bad.get("window_days") else f"{bad.get('window_months')} months"
        yield "performance window", f"{window} on book; the PD is not that of another window"
    elif data.get("performance_months"):
        yield "performance window", f"{data['performance_months']} months; the PD is not that of another window"
    else:
        yield "performance window", "not recorded; the PD is that of the outcome in the table"


def _feature(evidence: Record, name: Any) -> Record | None:
    features = (evidence.get("features") or {}).get("features") or []
    return next((one for one in features if one["feature"] == name), None)
