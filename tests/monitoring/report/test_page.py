"""What the page shows first, what it folds, and what it leaves out."""

from dataclasses import replace

import numpy as np
import pytest

from monitoring.decision_mix.decision_mix import DecisionMix, GroupDecisions
from monitoring.measures.move import Move
from monitoring.measures.score_comparison import ScoreComparison
from monitoring.report.bars import bars_of
from monitoring.report.decision_mix_charts import decision_mix_charts, last_groups
from monitoring.report.distribution_chart import distribution_chart
from monitoring.report.facts import facts_of
from monitoring.report.gauge import Gauge, gauge_of, nearness
from monitoring.report.heat_map import heat_map
from monitoring.report.ordering import headline, of_everyone, score_first
from monitoring.report.page import leading_part
from monitoring.report.performance_charts import ages_reached
from monitoring.thresholds.thresholds import EVERYONE, Cell, Judgement, Level
from monitoring.verdict.period_report import PeriodReport, Verdict
from pipelines.charts.series_chart import Chart, Mark, Series, draw
from pipelines.credit.vintage_curve import vintage_curves
from tests.monitoring.report.made_reports import SEGMENTS, made_moves, made_report, made_vintages, quiet


def move(column: str, level: Level = Level.QUIET, segment: str = EVERYONE, psi: float = 0.2, **parts: object) -> Move:
    judgement = Judgement(Cell(column, segment), level, psi, psi - 0.01, 0.1, 0.0, None, 0.5, 0.5, 100, 1000, 12, 0)
    bins = {"labels": ("a", "b"), "reference": (600, 400), "current": (30, 70)} | parts
    return Move(judgement, "feature", **bins)  # type: ignore[arg-type]


@pytest.fixture
def report() -> PeriodReport:
    return made_report()


def test_what_asks_for_something_comes_before_what_is_larger() -> None:
    # given
    moves = [
        move("small", psi=0.01),
        move("season", psi=0.9),
        move("points", Level.WATCH, psi=0.2),
        move("worst", Level.ACT, psi=0.3),
        move("unseen", Level.TOO_SMALL, psi=2.0),
        move("elsewhere", Level.ACT, segment="web"),
    ]
    # then
    assert [one.column for one in of_everyone(moves)] == ["worst", "points", "season", "small", "unseen"]
    assert [one.column for one in score_first(moves)][:2] == ["points", "worst"]


def test_a_headline_tells_apart_what_rounding_would_not() -> None:
    close = replace(move("age", Level.WATCH), judgement=replace(move("age", Level.WATCH).judgement, psi=0.1002))
    assert headline(close) == "age: PSI 0.1002, limit 0.1, WATCH"
    assert headline(move("age")) == "age: PSI 0.20, limit 0.10"


def test_bars_are_shares_and_as_long_as_the_longest_lets_them() -> None:
    first, second = bars_of(move("age"))
    assert (first.reference, first.current) == (0.6, 0.3)
    assert (second.reference, second.current) == (0.4, 0.7)
    assert second.length == 100
    assert first.reference_length == pytest.approx(600 / 7)


def test_of_many_bins_the_largest_are_drawn_and_no_row_is_lost() -> None:
    # given
    labels = tuple(f"level {place}" for place in range(100))
    counts = np.arange(100)
    # when
    bars = bars_of(move("purpose", labels=labels, reference=tuple(counts), current=tuple(counts[::-1])))
    # then
    assert len(bars) == 14
    assert bars[-1].label == "87 more"
    assert sum(bar.reference for bar in bars) == pytest.approx(1)
    assert sum(bar.rows for bar in bars) == counts.sum()
    assert bars[0].label == "level 0"


def test_an_empty_window_has_bars_of_no_length() -> None:
    assert [bar.length for bar in bars_of(move("age", current=(0, 0)))] == [0, 0]


def test_empty_bins_of_ours_are_not_drawn() -> None:
    bars = bars_of(move("purpose", labels=("missing", "car", "unseen"), reference=(0, 9, 0), current=(0, 8, 1)))
    assert [bar.label for bar in bars] == ["car", "unseen"]


def test_the_heat_map_says_which_segments_are_too_small_and_shows_what_moved(report: PeriodReport) -> None:
    # when
    found = heat_map(report.moves)
    # then
    assert found is not None
    assert found.segments == (EVERYONE, *SEGMENTS)
    assert found.small == ("islands",)
    assert len(found.shown) + len(found.rest) == 41
    moved = {one.column for one in report.moves if one.judgement.level in (Level.ACT, Level.WATCH)}
    assert moved <= {row.column for row in found.shown}
    assert found.moved == len(moved)
    by_place = {(one.column, one.segment): one for one in report.moves}
    for row in (*found.shown, *found.rest):
        for segment, cell in zip(found.segments, row.cells, strict=True):
            level = by_place[row.column, segment].judgement.level
            assert cell.kind.startswith({Level.TOO_SMALL: "small"}.get(level, level.value))
            assert bool(cell.text) == (level in (Level.ACT, Level.WATCH))


def test_there_is_no_heat_map_of_one_segment() -> None:
    assert heat_map([move("age")]) is None


def test_a_picture_holds_each_mark_inside_its_frame() -> None:
    # given values that a scale could trip over
    marks = [Mark(0, 0.5, "one"), Mark(1, float("nan"), "none"), Mark(2, 0.5, "<two>", 0.4, float("nan"))]
    # when
    picture = draw(Chart("Rate", "A rate", [Series("", "s1", marks, joined=True)], ["a", "b", "c"]))
    # then
    assert picture.count("<circle") == 2
    assert "nan" not in picture
    assert "&lt;two&gt;" in picture
    assert "<two>" not in picture


@pytest.mark.parametrize("marks", [[], [Mark(0, 0.0, "zero")], [Mark(0, 1e9, "huge"), Mark(1, -1e9, "huge")]])
def test_a_picture_of_few_or_extreme_values_can_be_drawn(marks: list[Mark]) -> None:
    assert draw(Chart("Rate", "A rate", [Series("", "s1", marks)], ["a", "b"], share=True)).startswith("<svg")


def test_shares_by_age_are_those_of_the_vintages() -> None:
    # given
    table = made_vintages()
    # when
    found = ages_reached(vintage_curves(table, confidence=0.95))
    # then
    assert found.ages == (3, 6, 9, 12)
    oldest = found.rows[-1]
    row = table.month.tolist().index(np.datetime64(oldest.month).item())
    assert [age for age, share in oldest.shares if share] == [3, 6, 9, 12]
    assert oldest.shares[0][1] == f"{100 * table.bad[row, 3] / table.observed[row, 3]:.1f}%"
    assert found.rows[0].shares[0][1].startswith("(")
    assert found.rows[0].shares[1][1] == ""


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_page_begins_with_the_verdict(verdict: Verdict) -> None:
    # when
    page = leading_part(made_report(verdict))
    # then
    assert page.index(f"<h1>{verdict.name}</h1>") < page.index("<section")
    assert "<script" not in page
    assert 'src="' not in page
    assert 'id="faults"' not in page or verdict is Verdict.ACT


def test_a_report_of_the_bare_minimum_is_a_page(report: PeriodReport) -> None:
    bare = replace(quiet(report), moves=(), points=())
    assert "<h1>ACT</h1>" in leading_part(bare)


def test_parts_may_be_partly_known(report: PeriodReport) -> None:
    # given no outcome of any vintage, a reference that tells nothing of the effect, a period without decisions
    assert report.performance is not None
    assert report.effect is not None
    new = replace(report.performance, vintages=report.performance.vintages[-1:], past_errors=(), curves=())
    unknown = replace(report.effect, reference_approval_rate=None, reference_mean_pd=None, approved_mean_pd=None)
    empty = replace(report.decision_mix[0], rows=0, decisions={}, reasons={}, reviewed=0, groups=())
    partly = replace(
        report, performance=new, effect=unknown, decision_mix=(empty,), moves=made_moves(Verdict.STABLE)[:9]
    )
    # when
    page = leading_part(partly)
    # then
    assert "Vintage curves" not in page
    assert "Past estimates" not in page
    assert "cannot be detected" in page
    assert "in the reference," not in page


def test_a_figure_that_is_no_number_is_null(report: PeriodReport) -> None:
    assert report.effect is not None
    facts = facts_of(replace(report, effect=replace(report.effect, mean_pd=float("nan"))))
    assert facts["effect"]["mean_pd"] is None


@pytest.mark.parametrize("limit", [0.0, float("inf"), float("nan")])
def test_a_limit_that_none_can_be_held_against_is_drawn_as_far_away(limit: float) -> None:
    odd = replace(move("age"), judgement=replace(move("age").judgement, limit=limit))
    assert gauge_of(odd.judgement) == Gauge(0.0, 100.0)
    assert nearness(odd.judgement, 4) == 0


def test_a_gauge_has_room_for_the_psi_and_for_the_limit() -> None:
    assert gauge_of(replace(move("age").judgement, psi=0.3, limit=0.1)) == Gauge(100, pytest.approx(100 / 3))
    assert gauge_of(replace(move("age").judgement, psi=0.0, limit=0.1)) == Gauge(0, pytest.approx(100 / 1.5))
    assert [nearness(replace(move("age").judgement, psi=psi), 4) for psi in (0.0, 0.03, 0.09, 0.9)] == [0, 1, 3, 3]


def test_a_season_has_a_column_of_its_own_where_one_is_known(report: PeriodReport) -> None:
    # given
    seasonal = tuple(replace(one, judgement=replace(one.judgement, season=0.07654)) for one in report.moves)
    # then
    assert "PSI against last year" not in leading_part(report)
    assert "0.077" in leading_part(replace(report, moves=seasonal))


def test_a_contradicted_vintage_is_named_before_any_figure(report: PeriodReport) -> None:
    page = leading_part(report)
    assert page.index("Outcomes contradict the expectation for vintage 2025-11.") < page.index("by vintage")


def test_the_score_is_drawn_as_two_lines_whose_shares_are_those_of_the_counts() -> None:
    # given 301 points
    points, before, now = range(400, 701), range(301), range(301, 0, -1)
    score = ScoreComparison(tuple(points), tuple(before), tuple(now), {"wasserstein": 40.0})
    # when
    chart = distribution_chart(score)
    # then
    known, found = (np.array([mark.y for mark in series.marks]) for series in chart.series)
    assert chart.positions[:2] == ["400", "410"]
    assert known.sum() == pytest.approx(1)
    assert found[0] == pytest.approx(sum(now[:10]) / sum(now))


def test_a_score_of_one_number_can_be_drawn() -> None:
    chart = distribution_chart(ScoreComparison((-3,), (10,), (0,), {}))
    assert [[mark.y for mark in series.marks] for series in chart.series] == [[1.0], [0.0]]
    assert draw(chart).startswith("<svg")


def test_of_many_groups_the_largest_are_drawn_and_the_low_come_first() -> None:
    # given twenty ages, the last one low
    groups = tuple(GroupDecisions("age", str(age), 10 * age, 5 * age, age / 40, age == 39) for age in range(20, 40))
    period = DecisionMix("2026-10", 1_000, {"approved": 500}, {}, 0, 0, 0, groups)
    # when
    [chart] = [one for one in decision_mix_charts([period]) if "age" in one.title]
    # then
    assert chart.title == "Approval rate by age, the 6 largest of 20 groups"
    assert [one.name for one in chart.series] == ["34", "35", "36", "37", "38", "39"]
    assert [one.group for one in last_groups([period])][:2] == ["39", "20"]
