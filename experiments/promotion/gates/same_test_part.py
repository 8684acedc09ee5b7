"""The champion was not trained on the test part, as far as its record shows."""

from experiments.promotion.gates.gate import Gate, GateResult, NotMeasured, Record, read
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:  # noqa: ARG001
    comparable = read(evidence, "comparable")
    bound = "the champion was not trained on these applications, as far as its record shows"
    if comparable["unseen"] is None:
        raise NotMeasured(comparable["why"])
    return GateResult(comparable["unseen"], None, bound, comparable["why"])


GATE = Gate("same test part", 100, _judge, against_champion=True)
