"""Expected over observed defaults of each protected group are within a range."""

from collections.abc import Sequence

from experiments.promotion.gates.gate import Figure, Gate, Record
from experiments.promotion.gates.protected_group import SECTION, group_figures
from pipelines.policy.decision_rule import Bound
from pipelines.policy.pack import PolicySettings

NAME = "expected over observed defaults"


def _judge(evidence: Record, policy: PolicySettings) -> Sequence[Figure] | None:
    low, high = policy.fairness.lowest_expected_to_observed, policy.fairness.highest_expected_to_observed
    if low is None or high is None:
        return None
    ends = ("eo_low", "eo_high")
    return group_figures(evidence, NAME, "expected_to_observed", ends, Bound(low, high), is_comparison=False)


GATE = Gate(
    "calibration by group", 90, _judge, section=SECTION, former_name="differences founded in risk", has_interval=True
)
