"""All outcomes of the test part were known when the evidence was made."""

from datetime import datetime

from experiments.promotion.gates.figures import answered
from experiments.promotion.gates.gate import Gate, GateResult, NotMeasured, Record, read
from pipelines.applications.splits import WITHOUT_EMBARGO
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:  # noqa: ARG001
    known_by = read(evidence, "about").get("outcomes_known_by")
    if known_by is None:
        sign = read(evidence, "about").get("possible_immaturity")
        raise NotMeasured("assumed (the table has no outcome dates)" + (f"; {sign}" if sign else ""))
    advice = read(evidence, "about").get("split_advice") or ""
    if advice.endswith(WITHOUT_EMBARGO):
        raise NotMeasured(f"outcomes of the training rows may not have been known when the test began: {advice}")
    passed = _are_known(read(evidence, "about"), known_by)
    statement = f"the last outcome {'was' if passed else 'is only'} known on {known_by[:10]}"
    made_on = f" on {read(evidence, 'about')['made_at'][:10]}" if "made_at" in read(evidence, "about") else ""
    required = f"not after the evidence was made{made_on}"
    return answered(passed, statement, required, "the date decides")


def _are_known(about: Record, known_by: str) -> bool:
    if "made_at" in about:  # evidence of earlier versions has its time
        return datetime.fromisoformat(known_by) <= datetime.fromisoformat(about["made_at"]).replace(tzinfo=None)
    return bool(about.get("outcomes_are_known"))


GATE = Gate("outcome maturity", 10, _judge, former_name="mature outcomes")
