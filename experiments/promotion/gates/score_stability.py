"""The distribution of the score moves little from development to the test part."""

from experiments.promotion.gates.gate import Figure, Gate, Record, read
from pipelines.policy.decision_rule import Bound, Interval
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> Figure:
    psi, noise = (float(read(evidence, "development", name)) for name in ("psi", "noise"))
    largest = policy.gates.largest_psi + noise
    return Figure(
        f"PSI of the score from development to the test part {psi:.3f}",
        Interval(psi),
        Bound(high=largest),
        f"at most {largest:.3f}, {policy.gates.largest_psi:g} and the {noise:.3f} that noise alone reaches",
    )


GATE = Gate("score stability", 50, _judge, former_name="stable score")
