"""Expected over observed defaults on the test part are within a range."""

from experiments.promotion.gates.figures import figure_of
from experiments.promotion.gates.gate import Figure, Gate, Record, estimate
from pipelines.policy.decision_rule import Bound
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> Figure:
    bound = Bound(policy.gates.lowest_expected_to_observed, policy.gates.highest_expected_to_observed)
    return figure_of("expected over observed defaults", estimate(evidence, "expected_to_observed"), bound)


GATE = Gate("calibration", 40, _judge, has_interval=True)
