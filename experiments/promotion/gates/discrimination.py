"""AUC on the test part reaches a minimum."""

from experiments.promotion.gates.figures import figure_of
from experiments.promotion.gates.gate import Figure, Gate, Record, estimate
from pipelines.policy.decision_rule import Bound
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> Figure:
    return figure_of("AUC", estimate(evidence, "auc"), Bound(low=policy.gates.minimum_auc), spec=".4f")


GATE = Gate("discrimination", 30, _judge, has_interval=True)
