"""The standardised difference of mean points between groups stays within a bound."""

from experiments.promotion.gates.gate import Gate, GateResult, Record
from experiments.promotion.gates.worst_group import SECTION, judge_worst_group
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult | None:
    bound = policy.fairness.largest_mean_difference
    return None if bound is None else judge_worst_group(evidence, "mean_difference", -bound, bound)


GATE = Gate("mean difference of points", 80, _judge, section=SECTION)
