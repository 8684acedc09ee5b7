"""No feature uses what became known after the application."""

from typing import Any

from experiments.promotion.gates.gate import Gate, GateResult, NotMeasured, Record, read
from pipelines.policy.pack import PolicySettings

MOST_NAMED = 5


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:
    leak, kind = read(evidence, "leak"), read(evidence, "leak", "kind")
    if kind == "recomputed":
        return _recomputed(leak)
    if kind == "single_feature":
        return _single_feature(leak, policy.gates.most_telling_auc)
    raise NotMeasured(leak.get("why") or kind)


def _recomputed(leak: dict[str, Any]) -> GateResult:
    differing, sampled = leak["differing"], leak.get("sampled", 0)
    sentence = f"features of {sampled:,} applications are identical when recomputed from the data known at the time"
    if differing:
        names = ", ".join(f"{name} ({count:,})" for name, count in list(differing.items())[:MOST_NAMED])
        sentence = (
            f"{len(differing)} features differ when recomputed from the data known at the time: "
            f"{names} of {sampled:,} applications"
        )
    bound = "identical to the features of a lake cut at the observation time"
    return GateResult(not differing, float(len(differing)), bound, sentence)


def _single_feature(leak: dict[str, Any], limit: float) -> GateResult:
    above = {name: auc for name, auc in leak["telling"].items() if name not in leak["waived"]}
    sentence = f"no feature exceeds AUC {limit:g} on its own"
    if leak["waived"]:
        sentence += f" (waived: {', '.join(leak['waived'])})"
    if above:
        names = ", ".join(f"{name} (AUC {auc:.3f})" for name, auc in above.items())
        sentence = (
            f"suspiciously predictive for data known at application time: {names}; "
            "drop the feature, or add it to policy.gates.waived"
        )
    highest = max(leak["telling"].values(), default=None)
    return GateResult(not above, highest, f"no feature exceeds AUC {limit:g} on its own", sentence)


GATE = Gate("no leak", 60, _judge)
