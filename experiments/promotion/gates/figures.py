"""Judges a figure by its bound, and writes the sentence: the figure, its interval, the bound, and what decides."""

from collections.abc import Sequence
from dataclasses import replace

from experiments.promotion.gates.gate import Figure, GateResult, NotMeasured
from pipelines.policy.decision_rule import Bound, Decides, Interval

DECIDED_BY = {
    Decides.worst_end: "the worst end of the interval, {number}, decides",
    Decides.best_end: "the best end of the interval, {number}, decides",
}


def figure_of(
    name: str,
    interval: Interval,
    bound: Bound,
    *,
    spec: str = ".3f",
    noun: str = "figure",
    about: str = "",
    kind: str = "95% interval",
) -> Figure:
    """Return a figure with its statement and requirement in words; `about` names what the figure is about.

    >>> figure_of("AUC", Interval(0.75, 0.73, 0.77), Bound(low=0.6)).statement
    'AUC 0.750 (95% interval 0.730 to 0.770)'
    """
    statement = f"{name} {interval.value:{spec}}"
    if interval.low is not None and interval.high is not None:
        statement += f" ({kind} {interval.low:{spec}} to {interval.high:{spec}})"
    return Figure(f"{statement}{about}", interval, bound, in_words(bound, spec), spec, noun)


def in_words(bound: Bound, spec: str = ".3f") -> str:
    """Return a bound in words.

    >>> in_words(Bound(low=0.75, high=1.33)), in_words(Bound(low=0.1), ".1%"), in_words(Bound(high=30), "d")
    ('from 0.75 to 1.33', 'at least 10%', 'at most 30')
    """
    low, high = (None if end is None else _bound_end(end, spec) for end in (bound.low, bound.high))
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"from {low} to {high}"


def decide(figures: Sequence[Figure], decides: Decides) -> GateResult:
    """Return the result for the figure that is furthest outside its bound, at least one.

    Raises:
        NotMeasured: all bounds are met, and not everything that they are about was measured.
    """
    decisions = [(one.bound.judge(one.interval, decides), one) for one in figures]
    decision, figure = max(decisions, key=lambda pair: pair[0].excess)
    if decision.is_met and figure.incomplete:
        raise NotMeasured(figure.incomplete)
    number, distance = _number(decision.number, figure.spec), _distance(abs(decision.excess), figure.spec)
    who = DECIDED_BY.get(decision.decided_by, f"the {figure.noun} decides").format(number=number)
    met = f"{'met' if decision.is_met else 'missed'} {f'by {distance}' if decision.excess else 'exactly'}"
    low, high = figure.interval.low, figure.interval.high
    return replace(
        answered(decision.is_met, figure.statement, figure.requirement, who, met, note=figure.note),
        value=figure.interval.value,
        low=low,
        high=high,
        decides=decision.decided_by.value,
    )


def answered(
    passed: bool,
    statement: str,
    requirement: str,
    who: str,
    met: str = "",
    *,
    note: str = "",
    value: float | None = None,
) -> GateResult:
    """Return a result with its sentence: the statement, the requirement, and `who` (what decides) with the outcome.

    >>> answered(True, "both predict late payment", "one loan contract for both", "the records decide").sentence
    'both predict late payment; required: one loan contract for both; the records decide: met'
    """
    met = met or ("met" if passed else "missed")
    sentence = f"{statement}; required: {requirement}; {who}: {met}"
    return GateResult(passed, value, requirement, f"{sentence}; {note}" if note else sentence)


def _bound_end(end: float, spec: str) -> str:
    return f"{100 * end:.4g}%" if spec.endswith("%") else f"{end:.6g}"


def _number(number: float, spec: str) -> str:
    return f"{number:{spec}}"


def _distance(distance: float, spec: str) -> str:
    """Return a distance with its format, and with one significant digit where that would be 0.

    >>> _distance(0.1234, ".3f"), _distance(0.00004, ".3f"), _distance(2, "d"), _distance(0.0312, ".1%")
    ('0.123', '4e-05', '2', '3.1%')
    """
    text = f"{distance:{spec}}"
    if float(text.rstrip("%").replace(",", "")) != 0 or not distance:
        return text
    return f"{100 * distance:.1g}%" if spec.endswith("%") else f"{distance:.1g}"
