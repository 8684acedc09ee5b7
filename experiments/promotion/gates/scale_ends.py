"""Warns where many scores are at the lowest or the highest points of the scale, which no longer tell them apart."""

from collections.abc import Sequence

from experiments.promotion.gates.figures import figure_of
from experiments.promotion.gates.gate import Figure, Gate, Record, read
from pipelines.credit.rates import wilson_interval
from pipelines.policy.decision_rule import Bound, Interval
from pipelines.policy.pack import PolicySettings

CONFIDENCE = 0.95


def _judge(evidence: Record, policy: PolicySettings) -> Sequence[Figure]:
    rows, scale = int(read(evidence, "points", "rows")), policy.scale
    ends = ((scale.lowest, "lowest"), (scale.highest, "highest"))
    return [_at(end, name, int(read(evidence, "points", f"at_{name}")), rows, policy) for end, name in ends]


def _at(end: int, name: str, count: int, rows: int, policy: PolicySettings) -> Figure:
    return figure_of(
        f"share of scores at {end}, the {name} points of the scale,",
        Interval(count / rows, *wilson_interval(count, rows, CONFIDENCE)),
        Bound(high=policy.gates.largest_share_at_end),
        spec=".1%",
        about=f" of {rows:,} applicants",
    )


GATE = Gate("scores at the ends of the scale", 160, _judge, is_warning=True, has_interval=True)
