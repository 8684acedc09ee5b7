"""The claim about AUC against the champion: the challenger is better, or it is not worse by a margin."""

from dataclasses import replace

from experiments.promotion.gates.figures import answered
from experiments.promotion.gates.gate import Gate, GateResult, Record, read
from pipelines.policy.pack import Claim, PolicySettings

SECTION = "claim against the champion"


def alpha_for(tried_before: int, confidence: float) -> float:
    """Return the one-sided error that the next challenger on a test part may have.

    The k-th has (1 - confidence) / (k (k + 1)). These add up to 1 - confidence for any number of challengers, however
    dependent they are (a union bound over an error allocated in advance; Foster and Stine, 2008, alpha-investing).

    >>> alpha_for(0, 0.95), round(sum(alpha_for(k, 0.95) for k in range(100_000)), 4)
    (0.025000000000000022, 0.05)
    """
    k = tried_before + 1
    return (1 - confidence) / (k * (k + 1))


def _superior(evidence: Record, policy: PolicySettings) -> GateResult | None:
    if policy.gates.claim is not Claim.superior:
        return None
    return _judge(evidence, policy.gates.confidence, 0.0, "better")


def _not_inferior(evidence: Record, policy: PolicySettings) -> GateResult | None:
    if policy.gates.claim is not Claim.not_inferior:
        return None
    margin = policy.gates.auc_margin
    return _judge(evidence, policy.gates.confidence, margin, f"not worse by {margin:g}" if margin else "better")


def _judge(evidence: Record, confidence: float, margin: float, claim: str) -> GateResult:
    difference, tried = read(evidence, "difference"), read(evidence, "tried_before")
    alpha = alpha_for(tried, confidence)
    passed = difference["p"] <= alpha
    before = f"; {tried} challengers compared on this test part before" if tried else ""
    interval = f"95% interval {difference['low']:+.4f} to {difference['high']:+.4f}, paired DeLong"
    statement = f"AUC {difference['auc']:+.4f} against the champion ({interval}), p-value {difference['p']:.3g}"
    required = f"one-sided p-value of a difference above {-margin if margin else 0:g} at most {alpha:.4g}{before}"
    verdict = f"met, proven {claim}" if passed else f"missed, not proven {claim}"
    result = answered(passed, statement, required, "the p-value decides", verdict, value=difference["p"])
    return replace(result, low=difference["low"], high=difference["high"])


SUPERIOR = Gate("superior to the champion", 120, _superior, SECTION, against_champion=True)
NOT_INFERIOR = Gate("not inferior to the champion", 121, _not_inferior, SECTION, against_champion=True)
