"""The standardised difference of mean points between groups stays within a bound."""

from collections.abc import Sequence

from experiments.promotion.gates.gate import Figure, Gate, Record
from experiments.promotion.gates.protected_group import SECTION, group_figures
from pipelines.policy.decision_rule import Bound
from pipelines.policy.pack import PolicySettings

NAME = "difference of mean points, in standard deviations,"


def _judge(evidence: Record, policy: PolicySettings) -> Sequence[Figure] | None:
    largest = policy.fairness.largest_mean_difference
    if largest is None:
        return None
    bound, ends = Bound(-largest, largest), ("difference_low", "difference_high")
    return group_figures(evidence, NAME, "mean_difference", ends, bound, is_comparison=True)


GATE = Gate("mean difference of points", 80, _judge, section=SECTION, has_interval=True)
