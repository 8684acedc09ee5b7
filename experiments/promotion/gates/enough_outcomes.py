"""The test part has enough bad and enough good applications."""

from experiments.promotion.gates.gate import Figure, Gate, Record, read
from pipelines.policy.decision_rule import Bound, Interval
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> Figure:
    bad, rows = (int(read(evidence, "measures", name)) for name in ("bad", "rows"))
    minimum = policy.gates.minimum_bad
    return Figure(
        f"{bad:,} bad and {rows - bad:,} good applications in the test part",
        Interval(min(bad, rows - bad)),
        Bound(low=minimum),
        f"at least {minimum:,} of each outcome",
        spec=",.0f",
        noun="smaller count",
    )


GATE = Gate("enough outcomes", 20, _judge)
