"""Challenger and champion predict the same outcome."""

from experiments.promotion.gates.gate import Gate, GateResult, NotMeasured, Record, read
from pipelines.policy.pack import PolicySettings

BOUND = "one loan contract for both"


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:  # noqa: ARG001
    outcome = read(evidence, "comparable", "outcome")
    ours, theirs = outcome["challenger"], outcome["champion"]
    if ours is None or theirs is None:
        raise NotMeasured("assumed (a record does not name the outcome)")
    if ours == theirs:
        return GateResult(True, None, BOUND, f"both predict {ours}")
    return GateResult(False, None, BOUND, f"the champion predicts {theirs}, the challenger {ours}")


GATE = Gate("same outcome", 110, _judge, against_champion=True)
