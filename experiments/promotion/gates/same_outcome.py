"""Challenger and champion predict the same outcome."""

from experiments.promotion.gates.figures import answered
from experiments.promotion.gates.gate import Gate, GateResult, NotMeasured, Record, read
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:  # noqa: ARG001
    outcome = read(evidence, "comparable", "outcome")
    ours, theirs = outcome["challenger"], outcome["champion"]
    if ours is None or theirs is None:
        raise NotMeasured("assumed (a record does not name the outcome)")
    statement = f"both predict {ours}" if ours == theirs else f"the champion predicts {theirs}, the challenger {ours}"
    return answered(ours == theirs, statement, "one loan contract for both", "their records decide")


GATE = Gate("same outcome", 110, _judge, against_champion=True)
