"""AUC on the test part reaches a minimum."""

from experiments.promotion.gates.gate import Gate, GateResult, Record, read
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:
    auc, minimum = read(evidence, "measures", "measures", "auc", "value"), policy.gates.minimum_auc
    distance = f"{abs(auc - minimum):.4f} {'above' if auc >= minimum else 'below'} the minimum of {minimum:g}"
    return GateResult(auc >= minimum, auc, f"AUC at least {minimum:g}", f"AUC {auc:.4f}, {distance}")


GATE = Gate("discrimination", 30, _judge)
