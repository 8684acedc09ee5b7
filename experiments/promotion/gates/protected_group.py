"""The figures of protected groups that the gates of fairness judge, and what about groups was not measured."""

from collections.abc import Sequence
from dataclasses import replace

from experiments.promotion.gates.figures import figure_of
from experiments.promotion.gates.gate import Figure, NotMeasured, Record, read
from pipelines.errors import listed
from pipelines.policy.decision_rule import Bound, Interval

SECTION = "fairness"
MOST_NAMED = 3


def group_figures(
    evidence: Record, name: str, measure: str, ends: tuple[str, str], bound: Bound, *, is_comparison: bool
) -> list[Figure]:
    """Return the figures of a measure by group; a comparison with the reference group has none of that group itself.

    Groups that are too small, or in which there is nothing to measure, are named in the notes. An attribute without
    groups keeps the gate from passing.

    Raises:
        NotMeasured: no group is large enough, or none has the measure.
    """
    groups, ungrouped = read(evidence, "fairness"), dict(evidence.get("ungrouped") or {})
    large = [group for group in groups if group["enough"]]
    judged = [group for group in large if not (is_comparison and group.get("reference"))]
    measured = [group for group in judged if group[measure] is not None]
    figures = [
        _figure(group, name, Interval(*(group.get(end) for end in (measure, *ends))), bound) for group in measured
    ]
    beyond = [group for group in judged if group not in measured and _is_beyond(group.get(ends[0]), bound)]
    figures += [_figure(group, f"{name} above", Interval(group[ends[0]]), bound) for group in beyond]
    incomplete = "; ".join(ungrouped.values())
    if not figures and incomplete:
        raise NotMeasured(incomplete)
    if not large:
        raise NotMeasured("no protected attribute has a group that is large enough; declare data.protected")
    if not figures:
        others = "no group is large enough to be compared with the reference" if not judged else f"no group has {name}"
        raise NotMeasured(others)
    note = _unmeasured(groups, measure, beyond)
    return [replace(figure, note=note, incomplete=incomplete) for figure in figures]


def _figure(group: Record, name: str, interval: Interval, bound: Bound) -> Figure:
    return figure_of(name, interval, bound, about=f" for {_title(group)} ({group['rows']:,} applications)")


def _is_beyond(low: float | None, bound: Bound) -> bool:
    """Return whether an open interval is outside a bound as a whole, such as defaults expected where none was seen."""
    return low is not None and bound.high is not None and low > bound.high


def _unmeasured(groups: Sequence[Record], measure: str, beyond: Sequence[Record]) -> str:
    small = [_title(group) for group in groups if not group["enough"]]
    empty = [_title(group) for group in groups if group["enough"] and group[measure] is None and group not in beyond]
    parts = [
        f"{listed(names, MOST_NAMED)} ({why})"
        for names, why in ((small, "too few applications"), (empty, "nothing to divide by"))
        if names
    ]
    return f"not measured: {'; '.join(parts)}" if parts else ""


def _title(group: Record) -> str:
    return f"{group['attribute']} {group['level']}"
