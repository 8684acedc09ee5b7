"""No feature uses what became known after the application."""

from typing import Any

from experiments.promotion.gates.figures import answered
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
    statement = f"features of {sampled:,} applications are identical when recomputed from the data known at the time"
    if differing:
        names = ", ".join(f"{name} ({count:,})" for name, count in list(differing.items())[:MOST_NAMED])
        statement = (
            f"{len(differing)} features differ when recomputed from the data known at the time: "
            f"{names} of {sampled:,} applications"
        )
    required = "identical to the features of a lake cut at the observation time"
    return answered(not differing, statement, required, "the count of features decides", value=float(len(differing)))


def _by_rules(leak: dict[str, Any], limit: float) -> GateResult:
    findings = leak.get("findings") or {name: [f"AUC {auc:.3f} on its own"] for name, auc in leak["telling"].items()}
    required = f"no feature exceeds AUC {limit:g} on its own or has information from after the application"
    scope = f"checked: {'; '.join(leak.get('checked') or ['AUC of each feature on its own'])}"
    if leak.get("unchecked"):
        scope += f". Not checked: {'; '.join(leak['unchecked'])}"
    waived = f" (waived: {', '.join(leak['waived'])})" if leak["waived"] else ""
    largest = max(leak["telling"].values(), default=None)
    if not findings:
        statement = f"no feature is suspicious for data known at application time{waived}"
        return answered(True, statement, required, "the count of findings decides", note=scope, value=largest)
    named = "; ".join(f"{name} ({', '.join(reasons)})" for name, reasons in findings.items())
    advice = "leave these columns out (data.ignored), or add them to policy.gates.waived"
    return answered(
        False,
        f"suspicious for data known at application time: {named}{waived}",
        required,
        "the count of findings decides",
        note=f"{advice}. {scope[0].upper()}{scope[1:]}",
        value=largest,
    )


GATE = Gate("no leak", 60, _judge)
