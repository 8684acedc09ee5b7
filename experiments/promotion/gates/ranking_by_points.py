"""Warns where points rank applications worse than the PD that they are made from."""

from experiments.promotion.gates.figures import figure_of
from experiments.promotion.gates.gate import Figure, Gate, Record, read
from pipelines.policy.decision_rule import Bound, Interval
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> Figure:
    loss = read(evidence, "points", "loss")
    of_pd, of_points = (read(evidence, "points", name) for name in ("auc_of_pd", "auc_of_points"))
    return figure_of(
        "points lose AUC",
        Interval(loss["value"], loss["low"], loss["high"]),
        Bound(high=policy.gates.largest_loss_of_points),
        spec=".4f",
        about=f" against the PD ({of_points:.4f} and {of_pd:.4f})",
    )


GATE = Gate("ranking by points", 170, _judge, is_warning=True, has_interval=True)
