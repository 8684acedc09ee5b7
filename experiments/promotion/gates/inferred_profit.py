"""The profit at the cut-off does not fall by more than a margin, where outcomes are inferred."""

from dataclasses import replace

from experiments.promotion.gates.figures import answered
from experiments.promotion.gates.gate import Gate, GateResult, Record, read
from pipelines.policy.pack import PolicySettings


def inferred_rows(evidence: Record) -> int:
    """Return the swapped applications without an outcome. Raises NotMeasured where the evidence lacks them."""
    sides = ("newly_approved", "newly_declined")
    return sum(read(evidence, "swap_set", side, "inferred", "rows") for side in sides)


def lower_bound_decides(statement: str, change: Record, floor: float, margin: float) -> GateResult:
    """Return the result for a change of the profit whose lower bound, `floor`, must not lose more than a margin."""
    passed, distance = floor >= -margin, f"{abs(floor + margin):.4f}"
    verdict = f"met by {distance}" if passed else f"missed by {distance}"
    required = f"lower bound at least {-margin:g}"
    result = answered(passed, statement, required, "the lower bound decides", verdict, value=floor)
    return replace(result, low=change["low"], high=change["high"])


def _judge(evidence: Record, policy: PolicySettings) -> GateResult | None:
    change = read(evidence, "swap_set", "inferred_change")
    rows = inferred_rows(evidence)
    if not rows:
        return None
    statement = (
        f"profit at the cut-off is inferred to change by {change['low']:+.4f} to {change['high']:+.4f} per unit "
        f"applied for, {rows:,} swapped applications without an outcome"
    )
    return lower_bound_decides(statement, change, change["low"], policy.gates.profit_margin)


GATE = Gate("profit where it is inferred", 140, _judge, "profit at the cut-off", against_champion=True)
