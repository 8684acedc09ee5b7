"""The approval rate of each group is a minimum share of that of the most approved group."""

from experiments.promotion.gates.gate import Gate, GateResult, Record
from experiments.promotion.gates.worst_group import SECTION, judge_worst_group
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult | None:
    minimum = policy.fairness.lowest_impact_ratio
    return None if minimum is None else judge_worst_group(evidence, "impact_ratio", minimum, None)


GATE = Gate("four-fifths ratio", 70, _judge, section=SECTION)
