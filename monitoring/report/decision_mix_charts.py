"""Charts of decisions over time: approval rate, reasons, changes by reviewers, groups."""

from collections.abc import Sequence

from monitoring.decision_mix.decision_mix import DecisionMix, GroupDecisions
from pipelines.charts.number_formats import percent
from pipelines.charts.series_chart import Chart, Mark, Series
from pipelines.scoring.scorer import APPROVED

MOST_LINES = 6
MOST_PERIODS = 36


def decision_mix_charts(decision_mix: Sequence[DecisionMix]) -> list[Chart]:
    """Return the charts of the decision mix by period, without those that have no data."""
    periods = decision_mix[-MOST_PERIODS:]
    attributes = dict.fromkeys(group.attribute for one in periods for group in one.groups)
    charts = [_approval(periods), _reasons(periods), *(_groups(periods, name) for name in attributes)]
    if any(one.reviewed for one in periods):
        charts.append(_changed(periods))
    return [one for one in charts if any(series.marks for series in one.series)]


def _approval(periods: Sequence[DecisionMix]) -> Chart:
    shares = [(at, one.period, one.decisions.get(APPROVED, 0), one.rows) for at, one in enumerate(periods) if one.rows]
    return _chart("Approval rate", periods, [_series("", 1, shares)])


def _reasons(periods: Sequence[DecisionMix]) -> Chart:
    total: dict[str, int] = {}
    for one in periods:
        for reason, times in one.reasons.items():
            total[reason] = total.get(reason, 0) + times
    most = sorted(total, key=lambda reason: -total[reason])[:MOST_LINES]
    series = [
        _series(
            reason,
            index,
            [
                (at, one.period, one.reasons.get(reason, 0), given)
                for at, one in enumerate(periods)
                if (given := sum(one.reasons.values()))
            ],
        )
        for index, reason in enumerate(most, 1)
    ]
    return _chart("Reasons given, share of all", periods, series, from_zero=True)


def _changed(periods: Sequence[DecisionMix]) -> Chart:
    parts = (("declined to approved", "to_approved"), ("approved to declined", "to_declined"))
    series = [
        _series(name, index, [(at, one.period, getattr(one, field), one.reviewed) for at, one in enumerate(periods)
                              if one.reviewed])
        for index, (name, field) in enumerate(parts, 1)
    ]  # fmt: skip
    return _chart("Decisions changed by reviewers, share of those reviewed", periods, series, from_zero=True)


def _groups(periods: Sequence[DecisionMix], attribute: str) -> Chart:
    rows: dict[str, int] = {}
    for one in (group for period in periods for group in period.groups if group.attribute == attribute):
        rows[one.group] = rows.get(one.group, 0) + one.rows
    largest = sorted(rows, key=lambda name: -rows[name])[:MOST_LINES]
    series = []
    for index, name in enumerate((one for one in rows if one in largest), 1):
        shares = [
            (at, period.period, one.approved, one.rows)
            for at, period in enumerate(periods)
            for one in period.groups
            if (one.attribute, one.group) == (attribute, name) and one.rows
        ]
        series.append(_series(name, index, shares))
    some = f", the {MOST_LINES} largest of {len(rows)} groups" if len(rows) > MOST_LINES else ""
    return _chart(f"Approval rate by {attribute}{some}", periods, series)


def last_groups(decision_mix: Sequence[DecisionMix]) -> list[GroupDecisions]:
    """Return the groups of the last period: low ones first, then by attribute and ratio, those without a ratio last."""
    last = decision_mix[-1].groups if decision_mix else ()
    return sorted(last, key=lambda one: (not one.is_low, one.ratio is None, one.attribute, one.ratio or 0.0))


def _series(name: str, index: int, shares: Sequence[tuple[int, str, int, int]]) -> Series:
    marks = [
        Mark(at, part / whole, f"{period}{', ' + name if name else ''}: {percent(part / whole)} of {whole:,}")
        for at, period, part, whole in shares
    ]
    return Series(name, f"s{index}", marks, joined=True)


def _chart(title: str, periods: Sequence[DecisionMix], series: Sequence[Series], *, from_zero: bool = False) -> Chart:
    ends = "; ".join(
        f"{one.name} {percent(one.marks[0].y)} to {percent(one.marks[-1].y)}" for one in series if one.marks
    )
    names = [one.period for one in periods]
    return Chart(title, f"{title}, first to last period: {ends}", series, names, share=True, from_zero=from_zero)
