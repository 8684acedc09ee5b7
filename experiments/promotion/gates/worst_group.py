"""Judges a measure of fairness by the group that is furthest outside its range."""

from typing import Any

from experiments.promotion.gates.gate import GateResult, NotMeasured, Record, read

SECTION = "fairness"


def judge_worst_group(
    evidence: Record, measure: str, low: float, high: float | None, ends: tuple[str, str] | None = None
) -> GateResult:
    """Return the result for the group that is furthest outside a range; with `ends` its whole interval must be outside.

    Raises:
        NotMeasured: no group is large enough, or none has the measure.
    """

    def outside(group: Record) -> float:
        least, most = (group[end] for end in ends) if ends else (group[measure],) * 2
        return float(low - most if high is None else max(low - most, least - high))

    groups: list[Any] = [group for group in read(evidence, "fairness") if group["enough"]]
    if not groups:
        raise NotMeasured("no protected attribute has a group that is large enough; declare data.protected")
    measured = [group for group in groups if group[measure] is not None]
    if not measured:
        raise NotMeasured(f"no group has a {measure}")
    worst = max(measured, key=outside)
    bound = f"at least {low:g}" if high is None else f"from {low:g} to {high:g}"
    sentence = f"{worst[measure]:.3f} for {worst['attribute']} {worst['level']} ({worst['rows']:,} applications)"
    return GateResult(outside(worst) <= 0, worst[measure], bound, sentence)
