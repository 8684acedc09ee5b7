"""The profit at the cut-off does not fall by more than a margin, where outcomes are observed."""

from experiments.promotion.gates.gate import Gate, GateResult, Record, read
from experiments.promotion.gates.inferred_profit import inferred_rows
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:
    change, margin = read(evidence, "swap_set", "observed_change"), policy.gates.profit_margin
    floor = read(evidence, "swap_set", "observed_floor")
    inferred_rows(evidence)  # a swap set without its inferred part is not measured, although that part is advisory
    passed = floor >= -margin
    verdict = "no loss beyond the margin" if passed else f"may lose {-floor:.4f}, beyond the margin of {margin:g}"
    sentence = (
        f"profit at the cut-off changes by {change['value']:+.4f} per unit applied for ({change['low']:+.4f} to "
        f"{change['high']:+.4f}) where outcomes are observed; {verdict}"
    )
    return GateResult(passed, floor, f"95% lower bound at least {-margin:g}", sentence)


GATE = Gate("profit at the cut-off", 130, _judge, against_champion=True)
