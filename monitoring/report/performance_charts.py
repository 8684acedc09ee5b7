"""Charts of vintages: estimate, early read and matured outcome, each in its own colour."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from monitoring.outcomes.performance import PerformanceReport
from monitoring.outcomes.vintage import VintagePerformance
from monitoring.report.formatting import between
from pipelines.charts.number_formats import number, percent
from pipelines.charts.series_chart import Chart, Mark, Series
from pipelines.credit.label_free import Estimate
from pipelines.credit.periods import Period
from pipelines.credit.vintage_curve import VintageCurve, VintagePoint

ASIDE = 0.22
NEWEST = 4
MOST_VINTAGES = 24

Read = Callable[[VintagePerformance], Estimate | None]


def performance_charts(report: PerformanceReport) -> list[Chart]:
    """Return the charts of ranking, level and early level by vintage, without those that have no data."""
    vintages = report.vintages[-MOST_VINTAGES:]
    ranking = (
        _by_vintage(name, vintages, (ESTIMATED, measure), (WEIGHTED, measure), (EARLY, measure), (TRUE, measure))
        for name, measure in (("Gini by vintage", "gini"), ("KS by vintage", "ks"))
    )
    level = _by_vintage(
        "Bad rate by vintage", vintages, (ESTIMATED, "bad_rate"), (WEIGHTED, "bad_rate"), (TRUE, "bad_rate"), share=True
    )
    early = _by_vintage("Early bad rate by vintage", vintages, (EXPECTED, "bad_rate"), (EARLY, "bad_rate"), share=True)
    charts = [*ranking, level, early]
    return [one for one in charts if one.series]


def band_chart(vintage: VintagePerformance) -> Chart:
    """Return expected against observed bad rate by band."""
    bands = vintage.bands
    expected = [
        Mark(index - ASIDE / 2, one.expected_rate, f"{one.band}: expected {percent(one.expected_rate)}")
        for index, one in enumerate(bands)
    ]
    observed = [
        Mark(
            index + ASIDE / 2,
            one.observed_rate,
            f"{one.band}: observed {percent(one.observed_rate)} ({one.bad:,} of {one.rows:,})",
            one.low,
            one.high,
        )
        for index, one in enumerate(bands)
    ]
    title = f"Bad rate by band, {vintage.period}"
    rates = "; ".join(f"{one.band} {percent(one.expected_rate)} and {percent(one.observed_rate)}" for one in bands)
    series = [Series("expected by the PDs", "estimate", expected), Series("observed", "truth", observed)]
    return Chart(title, f"{title}, expected and observed: {rates}", series, [one.band for one in bands], share=True,
                 from_zero=True)  # fmt: skip


def curve_chart(curves: Sequence[VintageCurve]) -> Chart | None:
    """Return the vintage curves, the newest in colour and the earlier ones in grey, None without curves."""
    drawn = [one for one in curves if len(one.points) > 1]
    if not drawn:
        return None
    earlier, newest = drawn[:-NEWEST], drawn[-NEWEST:]
    series = [
        Series("earlier" if not index else "", "faint", [*_curve(one)], joined=True, dots=False)
        for index, one in enumerate(earlier)
    ]
    series += [Series(one.month, f"s{index}", [*_curve(one)], joined=True) for index, one in enumerate(newest, 1)]
    on_book = f"{drawn[0].period.value}s on book"
    oldest = max(point.age for one in drawn for point in one.points)
    shares = "; ".join(f"{one.month} {percent(one.points[-1].share)}" for one in newest)
    return Chart(
        f"Cumulative bad rate by {on_book}",
        f"Vintage curves; the newest up to their last age: {shares}",
        series,
        [str(age) for age in range(oldest + 1)],
        share=True,
        along=on_book,
        from_zero=True,
    )


def _curve(curve: VintageCurve) -> Iterator[Mark]:
    for one in curve.points:
        yield Mark(one.age, one.share, _tooltip(curve, one), hollow=not one.is_whole)


def _tooltip(curve: VintageCurve, one: VintagePoint) -> str:
    whole = "" if one.is_whole else ", the first days of the month only"
    return (
        f"{curve.month} at {one.age} {curve.period.value}s on book: {percent(one.share)} "
        f"({percent(one.low)} to {percent(one.high)}) of {one.loans:,} loans{whole}"
    )


Kind = tuple[str, str, Callable[[VintagePerformance, str], Estimate | None]]

ESTIMATED: Kind = (
    "estimate",
    "estimate",
    lambda one, measure: None if one.estimate is None else getattr(one.estimate.estimate, measure),
)
WEIGHTED: Kind = (
    "estimate, reweighted",
    "weighted",
    lambda one, measure: None if one.reweighted is None else getattr(one.reweighted.estimate, measure),
)
EXPECTED: Kind = (
    "expected from PDs",
    "estimate",
    lambda one, measure: None if one.early_expected is None else getattr(one.early_expected, measure),
)
EARLY: Kind = ("early read", "early", lambda one, measure: None if one.early is None else getattr(one.early, measure))
TRUE: Kind = ("outcome", "truth", lambda one, measure: None if one.matured is None else getattr(one.matured, measure))


def _by_vintage(
    title: str, vintages: Sequence[VintagePerformance], *kinds: tuple[Kind, str], share: bool = False
) -> Chart:
    drawn = [kind for kind in kinds if any(kind[0][2](one, kind[1]) is not None for one in vintages)]
    series = []
    for index, ((name, kind, read), measure) in enumerate(drawn):
        aside = ASIDE * (index - (len(drawn) - 1) / 2)
        marks = [
            Mark(at + aside, estimate.value, _estimate(one.period, name, estimate, share), *_interval(kind, estimate))
            for at, one in enumerate(vintages)
            if (estimate := read(one, measure)) is not None
        ]
        series.append(Series(name, kind, marks))
    newest = "; ".join(mark.tooltip for one in series for mark in one.marks[-1:])
    return Chart(title, f"{title}; the newest: {newest}", series, [one.period for one in vintages], share=share)


def _interval(kind: str, estimate: Estimate) -> tuple[float, float] | tuple[None, None]:
    """Return the interval, none for a variant: it would hide that of the estimate, which is about the same."""
    return (None, None) if kind == "weighted" else (estimate.low, estimate.high)


def _estimate(period: str, name: str, estimate: Estimate, share: bool) -> str:
    value = percent(estimate.value) if share else number(estimate.value)
    return f"{period}, {name}: {value} ({between(estimate, share=share)})"


AGES = {Period.month: (1, 3, 6, 9, 12, 18, 24), Period.week: (2, 4, 8, 12, 26, 52)}
MOST_AGES = 4
MONTHS_SHOWN = 12


@dataclass(frozen=True)
class MonthRow:
    """The loans of a month, and the bad rate at each age, empty where no loan is that old."""

    month: str
    loans: int
    shares: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class AgesReached:
    """The ages that are shown, in `period`, and the months, newest first."""

    ages: tuple[int, ...]
    rows: tuple[MonthRow, ...]
    period: str


def ages_reached(curves: Sequence[VintageCurve]) -> AgesReached:
    """Return the bad rates at the oldest few of the usual ages that any vintage has reached."""
    newest = list(reversed(curves))[:MONTHS_SHOWN]
    reached = max((point.age for one in newest for point in one.points), default=0)
    period = newest[0].period if newest else Period.month
    ages = tuple(age for age in AGES[period] if age <= reached)[-MOST_AGES:]
    return AgesReached(ages, tuple(_row(one, ages) for one in newest), period.value)


def _row(curve: VintageCurve, ages: Sequence[int]) -> MonthRow:
    points = {one.age: one for one in curve.points}
    loans = max((one.loans for one in curve.points), default=0)
    return MonthRow(curve.month, loans, tuple((age, _share(points.get(age))) for age in ages))


def _share(point: VintagePoint | None) -> str:
    if point is None:
        return ""
    return percent(point.share) if point.is_whole else f"({percent(point.share)})"
