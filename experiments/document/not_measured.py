"""What was not measured about a version, each with its reason where one is known."""

from collections.abc import Iterator
from typing import Any

from experiments.document.facts import DocumentFacts, Record
from pipelines.errors import listed

MOST_NAMED = 8

PARTS = {
    "features": "information value, stability, direction, correlation and effect of the features",
    "bands": "counts, bad rates and PDs by score band",
    "separation": "the ROC curve and the distribution of points",
    "segments": "measures by segment",
    "vintages": "measures by vintage",
    "ranking": "the stability of the ranking over refits",
    "cutoffs": "approval rates, bad rates and profit by cut-off",
    "points": "how well points carry the score",
    "swap_set": "the swap set: newly approved and newly declined applications",
    "fairness": "approval rates, mean points and calibration by protected group",
    "monotonicity": "declared and expected directions",
    "reasons": "fidelity and stability of the reasons given to applicants",
    "selection": "the bias of training on approved applications only",
    "twins": "twins between development and test",
    "leak": "leaks of the outcome into features",
    "timing": "the time of a score",
}
"""The parts of the evidence, and what each measures."""


def not_measured_of(facts: DocumentFacts) -> list[dict[str, str]]:
    """Return what was not measured and why, in the order of the document; `why` is empty where it is not recorded."""
    return [{"what": what, "why": why} for what, why in _unmeasured(facts)]


def _unmeasured(facts: DocumentFacts) -> Iterator[tuple[str, str]]:
    evidence = facts.evidence
    if evidence is None:
        yield "everything that a promotion request measures", "no promotion was requested"
        return
    for gate in evidence.get("gates") or []:
        if gate.get("answer") == "not measured":
            yield f"gate “{gate['gate']}”", str(gate.get("sentence") or "")
    for part, what in PARTS.items():
        if not evidence.get(part):
            yield what, _reason(part, facts, evidence)
    if (evidence.get("reasons") or {}).get("sampled") == 0:
        yield PARTS["reasons"], "no applicant was declined, or the model gives no reasons"
    if (evidence.get("selection") or {}).get("why"):
        yield PARTS["selection"], str(evidence["selection"]["why"])
    yield from (("groups of a protected attribute", why) for why in (evidence.get("ungrouped") or {}).values())
    for part, title in (("fairness", "protected groups"), ("segments", "segments"), ("vintages", "vintages")):
        small = [_name_of(one) for one in evidence.get(part) or [] if not one.get("enough")]
        if small:
            yield f"{title} {listed(small, MOST_NAMED)}", "too few applications"
    yield from _of_features(evidence)
    leak = evidence.get("leak") or {}
    yield from ((f"leaks: {check}", "") for check in leak.get("unchecked") or ())


def _of_features(evidence: Record) -> Iterator[tuple[str, str]]:
    features: list[Any] = (evidence.get("features") or {}).get("features") or []
    without = [one["feature"] for one in features if one.get("effect") is None]
    if without and len(without) < len(features):
        yield f"partial effect of {listed(without, MOST_NAMED)}", "less important than those measured, or not used"
    unmoved = [one["feature"] for one in evidence.get("monotonicity") or [] if not one.get("rows")]
    if unmoved:
        yield f"the declared direction of {listed(unmoved, MOST_NAMED)}", "not in the model, or one value only"


def _reason(part: str, facts: DocumentFacts, evidence: Record) -> str:
    data = (facts.settings or {}).get("data") or {}
    about = evidence.get("about") or {}
    reasons = {
        "vintages": "" if data.get("time") else "the applications have no dates",
        "segments": "" if data.get("protected") else "no protected attribute is declared",
        "fairness": "" if data.get("protected") else "no protected attribute is declared",
        "swap_set": "" if about.get("champion") else "there was no champion to compare with",
        "monotonicity": "no direction is declared or expected",
        "selection": "the data has no earlier decisions",
        "ranking": "the version has no record of its training",
    }
    return reasons.get(part, "")


def _name_of(row: Record) -> str:
    return str(row["vintage"]) if "vintage" in row else f"{row['attribute']} {row['level']}"
