"""The approval rate of each group is a minimum share of that of the most approved group."""

from collections.abc import Sequence

from experiments.promotion.gates.gate import Figure, Gate, Record
from experiments.promotion.gates.protected_group import SECTION, group_figures
from pipelines.policy.decision_rule import Bound
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> Sequence[Figure] | None:
    minimum = policy.fairness.lowest_impact_ratio
    if minimum is None:
        return None
    ends = ("ratio_low", "ratio_high")
    return group_figures(evidence, "impact ratio", "impact_ratio", ends, Bound(low=minimum), is_comparison=True)


GATE = Gate("impact ratio", 70, _judge, section=SECTION, former_name="four-fifths ratio", has_interval=True)
