"""The distribution of the score moves little from development to the test part."""

from experiments.promotion.gates.gate import Gate, GateResult, Record, read
from pipelines.policy.pack import PolicySettings


def _judge(evidence: Record, policy: PolicySettings) -> GateResult:
    psi, noise = (read(evidence, "development", name) for name in ("psi", "noise"))
    sentence = f"PSI of the score from development to the test part {psi:.3f} (noise alone reaches {noise:.3f})"
    bound = f"PSI at most {policy.gates.largest_psi:g} beyond noise"
    return GateResult(psi <= policy.gates.largest_psi + noise, psi, bound, sentence)


GATE = Gate("score stability", 50, _judge, former_name="stable score")
