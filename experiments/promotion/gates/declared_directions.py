"""The score moves in the declared directions as a feature alone moves over its range."""

from experiments.evidence.monotonicity import adherence
from experiments.promotion.gates.gate import Figure, Gate, NotMeasured, Record, read
from pipelines.policy.decision_rule import Bound, Interval
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> Figure | None:
    allowed = policy.gates.monotone
    if allowed is None:
        return None
    declared = [one for one in read(evidence, "monotonicity") if one.get("declared")]
    if not declared:
        raise NotMeasured("no direction is declared; set data.directions, or data.catalogue_directions=true")
    shares = [one["share_violating"] for one in declared if one["rows"]]
    if not shares:
        raise NotMeasured(f"the score {adherence(declared)}")
    return Figure(
        f"the score {adherence(declared)}",
        Interval(max(shares)),
        Bound(high=allowed),
        f"against the declared direction of a feature in at most {100 * allowed:.3g}% of the applications",
        spec=".1%",
        noun="largest share",
    )


GATE = Gate("declared directions", 55, _judge)
