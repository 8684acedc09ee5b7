"""The profit at the cut-off does not fall by more than a margin, where outcomes are observed."""

from experiments.promotion.gates.gate import Gate, GateResult, Record, read
from experiments.promotion.gates.inferred_profit import inferred_rows, lower_bound_decides
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:
    change, margin = read(evidence, "swap_set", "observed_change"), policy.gates.profit_margin
    floor = read(evidence, "swap_set", "observed_floor")
    inferred_rows(evidence)  # a swap set without its inferred part is not measured, although that part is advisory
    statement = (
        f"profit at the cut-off changes by {change['value']:+.4f} per unit applied for (95% interval "
        f"{change['low']:+.4f} to {change['high']:+.4f}, one-sided lower bound {floor:+.4f}) where outcomes are "
        "observed"
    )
    return lower_bound_decides(statement, change, floor, margin)


GATE = Gate("profit at the cut-off", 130, _judge, against_champion=True)
