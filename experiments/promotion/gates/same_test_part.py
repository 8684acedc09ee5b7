"""The champion was not trained on the test part, as far as its record shows."""

from experiments.promotion.gates.figures import answered
from experiments.promotion.gates.gate import Gate, GateResult, NotMeasured, Record, read
from pipelines.policy.pack import PolicySettings

REQUIRED = "the champion was not trained on these applications"


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:  # noqa: ARG001
    comparable = read(evidence, "comparable")
    if comparable["unseen"] is None:
        raise NotMeasured(comparable["why"])
    return answered(comparable["unseen"], comparable["why"], REQUIRED, "the champion's record decides")


GATE = Gate("same test part", 100, _judge, against_champion=True)
