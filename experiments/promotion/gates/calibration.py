"""Expected over observed defaults on the test part are within a range."""

from experiments.promotion.gates.gate import Gate, GateResult, Record, read
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:
    ratio = read(evidence, "measures", "measures", "expected_to_observed", "value")
    low, high = policy.gates.lowest_expected_to_observed, policy.gates.highest_expected_to_observed
    passed = low <= ratio <= high
    outside = "" if passed else f", {low - ratio if ratio < low else ratio - high:.3f} outside {low:g} to {high:g}"
    bound = f"expected over observed defaults from {low:g} to {high:g}"
    return GateResult(passed, ratio, bound, f"expected over observed defaults {ratio:.3f}{outside}")


GATE = Gate("calibration", 40, _judge)
