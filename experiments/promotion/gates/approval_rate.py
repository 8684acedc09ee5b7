"""Warns where the cut-off approves nearly everyone or nearly no one."""

from experiments.promotion.gates.figures import figure_of
from experiments.promotion.gates.gate import Figure, Gate, NotMeasured, Record, read
from pipelines.credit.rates import wilson_interval
from pipelines.policy.decision_rule import Bound, Interval
from pipelines.policy.pack import PolicySettings

CONFIDENCE = 0.95


def _judge(evidence: Record, policy: PolicySettings) -> Figure:
    ours = next((one for one in read(evidence, "cutoffs") if one["is_policy"]), None)
    if ours is None:
        raise NotMeasured("the table of cut-offs lacks that of the policy")
    rate, rows = float(ours["approval_rate"]), int(read(evidence, "points", "rows"))
    return figure_of(
        "approval rate",
        Interval(rate, *wilson_interval(rate * rows, rows, CONFIDENCE)),
        Bound(policy.gates.lowest_approval_rate, policy.gates.highest_approval_rate),
        spec=".1%",
        about=f" of {rows:,} applicants from {ours['approve_from']} points on",
    )


GATE = Gate("approval rate", 150, _judge, is_warning=True, has_interval=True)
