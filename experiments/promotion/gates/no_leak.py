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
        return _by_rules(leak, policy.gates.most_telling_auc)
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


def _by_rules(leak: dict[str, Any], limit: float) -> GateResult:
    findings = leak.get("findings") or {name: [f"AUC {auc:.3f} on its own"] for name, auc in leak["telling"].items()}
    bound = f"no feature exceeds AUC {limit:g} on its own or has information from after the application"
    scope = f"checked: {'; '.join(leak.get('checked') or ['AUC of each feature on its own'])}"
    if leak.get("unchecked"):
        scope += f". Not checked: {'; '.join(leak['unchecked'])}"
    waived = f" (waived: {', '.join(leak['waived'])})" if leak["waived"] else ""
    if findings:
        named = "; ".join(f"{name} ({', '.join(reasons)})" for name, reasons in findings.items())
        sentence = (
            f"suspicious for data known at application time: {named}{waived}. Leave these columns out "
            f"(data.ignored), or add them to policy.gates.waived. {scope[0].upper()}{scope[1:]}"
        )
    else:
        sentence = f"no feature exceeds AUC {limit:g} on its own or looks later than the application{waived}; {scope}"
    return GateResult(not findings, max(leak["telling"].values(), default=None), bound, sentence)


GATE = Gate("no leak", 60, _judge)
