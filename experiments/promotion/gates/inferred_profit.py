"""The profit at the cut-off does not fall by more than a margin, where outcomes are inferred."""

from experiments.promotion.gates.gate import Gate, GateResult, Record, read
from pipelines.policy.pack import PolicySettings


def inferred_rows(evidence: Record) -> int:
    """Return the swapped applications without an outcome. Raises NotMeasured where the evidence lacks them."""
    sides = ("newly_approved", "newly_declined")
    return sum(read(evidence, "swap_set", side, "inferred", "rows") for side in sides)


def _judge(evidence: Record, policy: PolicySettings) -> GateResult | None:
    change, margin = read(evidence, "swap_set", "inferred_change"), policy.gates.profit_margin
    rows = inferred_rows(evidence)
    if not rows:
        return None
    sentence = (
        f"inferred from {change['low']:+.4f} to {change['high']:+.4f} per unit applied for, {rows:,} swapped "
        "applications without an outcome"
    )
    return GateResult(change["low"] >= -margin, change["low"], f"lower bound at least {-margin:g}", sentence)


GATE = Gate("profit where it is inferred", 140, _judge, "profit at the cut-off", against_champion=True)
