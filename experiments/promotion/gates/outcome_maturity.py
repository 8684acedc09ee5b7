"""All outcomes of the test part were known when the evidence was made."""

from datetime import datetime

from experiments.promotion.gates.gate import Gate, GateResult, NotMeasured, Record, read
from pipelines.applications.splits import WITHOUT_EMBARGO
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:  # noqa: ARG001
    known_by, made_at = read(evidence, "about").get("outcomes_known_by"), read(evidence, "about", "made_at")
    bound = "all outcomes known when the evidence was made"
    if known_by is None:
        sign = read(evidence, "about").get("possible_immaturity")
        raise NotMeasured("assumed (the table has no outcome dates)" + (f"; {sign}" if sign else ""))
    advice = read(evidence, "about").get("split_advice") or ""
    if advice.endswith(WITHOUT_EMBARGO):
        raise NotMeasured(f"outcomes of the training rows may not have been known when the test began: {advice}")
    passed = datetime.fromisoformat(known_by) <= datetime.fromisoformat(made_at).replace(tzinfo=None)
    sentence = f"the last outcome {'was' if passed else 'is only'} known on {known_by[:10]}"
    return GateResult(passed, None, bound, sentence)


GATE = Gate("outcome maturity", 10, _judge, former_name="mature outcomes")
