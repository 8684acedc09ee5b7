"""Expected over observed defaults of each protected group are within a range."""

from experiments.promotion.gates.gate import Gate, GateResult, Record
from experiments.promotion.gates.worst_group import SECTION, judge_worst_group
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult | None:
    low, high = policy.fairness.lowest_expected_to_observed, policy.fairness.highest_expected_to_observed
    if low is None or high is None:
        return None
    return judge_worst_group(evidence, "expected_to_observed", low, high, ("eo_low", "eo_high"))


GATE = Gate("calibration by group", 90, _judge, section=SECTION, former_name="differences founded in risk")
