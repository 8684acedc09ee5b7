"""The test part has enough bad and enough good applications."""

from experiments.promotion.gates.gate import Gate, GateResult, Record, read
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:
    bad, rows = (read(evidence, "measures", name) for name in ("bad", "rows"))
    minimum, fewest = policy.gates.minimum_bad, min(bad, rows - bad)
    sentence = f"{bad:,} bad and {rows - bad:,} good applications in the test part"
    return GateResult(fewest >= minimum, fewest, f"at least {minimum} of each outcome", sentence)


GATE = Gate("enough outcomes", 20, _judge)
