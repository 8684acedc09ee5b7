"""The content of a model document: the one source of the page and of the JSON file beside it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pipelines.charts
from experiments.document.decision import verdict_of
from experiments.document.earlier_decisions import exceptions_of, judgements_of
from experiments.document.facts import DocumentFacts, FeatureFact, Record
from experiments.document.limitations import limitations_of
from experiments.document.limits_of_use import limits_of_use
from experiments.document.not_measured import not_measured_of
from pipelines.storage.fingerprint import fingerprint_files

SCHEMA = 1

WRITTEN_BY = "written_by"
"""The name of the hash of the code that wrote a document: with the same code the same facts give the same document."""

ENTRY = ("sequence", "written_at", "decision", "version", "by", "authenticated", "why")
"""What the document has of an entry of the ledger."""

SIGNERS = "signers"
"""The decision of a ledger entry that records who may sign."""

APART = ("features", "left_out", "bands")
"""Parts of the evidence that the content has under names of its own."""


def content_of(facts: DocumentFacts) -> dict[str, Any]:
    """Return everything that the document of a version says, as JSON values."""
    evidence = facts.evidence or {}
    measures = evidence.get("features") or {}
    content = {
        "schema": SCHEMA,
        WRITTEN_BY: _code_hash(),
        **{name: getattr(facts, name) for name in ("model", "version", "family", "registered_at", "experiment")},
        **{name: getattr(facts, name) for name in ("run_id", "model_hash", "purpose")},
        "verdict": asdict(verdict_of(facts)),
        "limits_of_use": limits_of_use(facts),
        "features": list(_features(facts)),
        "importance_is": measures.get("importance_is"),
        "groups": groups_of(facts.features),
        "correlations": measures.get("correlations"),
        "left_out": evidence.get("left_out") or [],
        "bands": evidence.get("bands") or [],
        "signers": _signers(facts),
        "judgements": judgements_of(facts),
        "exceptions": exceptions_of(facts),
        "not_measured": not_measured_of(facts),
        "limitations": limitations_of(facts),
        "has_evidence": facts.evidence is not None,
        "evidence": {name: value for name, value in evidence.items() if name not in APART},
        "measured": evidence.get("measures") or facts.measured or {},
        "search": None if facts.search is None else asdict(facts.search),
        "parts": list(facts.parts),
        "settings": facts.settings or {},
        "data": facts.data or {},
        "prepared": facts.prepared or {},
        "provenance": facts.provenance or {},
        "entries": [{name: entry.get(name) for name in ENTRY} for entry in facts.entries],
    }
    values: dict[str, Any] = json.loads(json.dumps(content))
    return values


@cache
def _code_hash() -> str:
    folders = (Path(__file__).parent, Path(str(pipelines.charts.__file__)).parent)
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".html", ".css")]
    return fingerprint_files({f"{path.parent.name}/{path.name}": path for path in files})


def _features(facts: DocumentFacts) -> Iterator[dict[str, Any]]:
    """Yield the features with their measures, the most important first; without measures in their own order."""
    evidence = facts.evidence or {}
    described = {one.name: asdict(one) for one in facts.features}
    measured = {one["feature"]: one for one in (evidence.get("features") or {}).get("features") or []}
    checked: Mapping[str, Record] = {
        one["feature"]: one for one in evidence.get("monotonicity") or (facts.measured or {}).get("directions") or []
    }
    for name in dict.fromkeys([*measured, *described]):
        fact = described.get(name) or asdict(FeatureFact(name, str(measured[name]["kind"])))
        declared = checked[name]["expected"] if name in checked and checked[name].get("declared") else None
        measures = {key: value for key, value in measured.get(name, {}).items() if key not in ("feature", "missing")}
        gaps = measured.get(name, {}).get("missing") or {}
        yield fact | {
            "declared_direction": declared,
            "expected_direction": fact["direction"] or None,
            "share_against": (checked.get(name) or {}).get("share_violating"),
            "missing_in_development": gaps.get("development"),
            "missing_in_test": gaps.get("test", fact["missing"]),
            "measures": measures or None,
        }


def _signers(facts: DocumentFacts) -> int | None:
    """Return the number of the entry that last recorded the ledger's signers, None for a ledger without signers."""
    recorded = [entry.get("sequence") for entry in facts.entries if entry.get("decision") == SIGNERS]
    return recorded[-1] if recorded else None


def groups_of(features: tuple[FeatureFact, ...]) -> list[dict[str, Any]]:
    """Return the reason groups, each with its number of features and the largest share of missing values."""
    named: dict[str, list[FeatureFact]] = {}
    for feature in features:
        named.setdefault(feature.group, []).append(feature)
    return [
        {
            "group": group,
            "features": len(members),
            "missing": max((one.missing for one in members if one.missing is not None), default=None),
            "directed": sum(one.direction in ("safer", "riskier") for one in members),
        }
        for group, members in sorted(named.items())
    ]
