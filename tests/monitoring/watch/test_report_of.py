"""Everything a report says of a period, against the rows of the score log it is about."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitoring.outcomes.settings import OutcomeSettings
from monitoring.thresholds.thresholds import EVERYONE, Level
from monitoring.verdict.period_report import PeriodReport, Verdict
from monitoring.watch.settings import WatchSettings
from monitoring.watch.watch import report_of
from monitoring.watch.watch_result import Samples
from pipelines.reviews.reviews import Reviews
from pipelines.scoring.scorer import DECLINED
from tests.pipelines.batch.conftest import Bench, applications, made, score_it, written

PERIODS = ("2026-07", "2026-08", "2026-09", "2026-10")
RICH = 1.8
"""From September on the simulated applicants earn so many times as much."""


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("reports")
    bench = made(folder, "scorecard")
    for place, period in enumerate(PERIODS):
        table = applications(2000, seed=10 + place).assign(
            application_id=[f"{period}-{row:05d}" for row in range(2000)]
        )
        if period >= "2026-09":
            table["income"] *= RICH
        path = written(table, folder / f"{period}.parquet")
        score_it(bench, input=str(path), period=period, segments=["region"], protected=["sex"], reasons_for=None)
    rows = bench.log.decisions(bench.key())
    declined = rows[rows["decision"] == DECLINED].iloc[0].to_dict()
    why = "the documents show more"
    Reviews(bench.workspace).request(declined, by="jonas", why=why)
    Reviews(bench.workspace).decide(declined, "approved", by="mira", why=why, requester_may_decide=True)
    return bench


def asked(bench: Bench, **changed: object) -> tuple[PeriodReport, Samples]:
    usual: dict[str, object] = {"period": "2026-10", "workspace": str(bench.workspace.root), "today": "2027-01-01"}
    settings = WatchSettings(**(usual | changed))  # type: ignore[arg-type]
    return report_of(bench.workspace, bench.reference, bench.key(settings.period), settings)


def test_a_month_like_the_others_is_stable(scored: Bench) -> None:
    report, samples = asked(scored, period="2026-08")
    assert report.verdict is Verdict.STABLE
    assert (report.rows, len(samples.current), len(samples.reference)) == (2000, 2000, 2000)
    assert {move.segment for move in report.moves} == {EVERYONE, "region=north", "region=south"}
    assert any("single period" in note for note in report.notes)


def test_what_is_watched_twice_is_acted_on_and_begins_where_it_began(scored: Bench) -> None:
    first, second = (asked(scored, period=period)[0] for period in ("2026-09", "2026-10"))
    for report in (first, second):
        (income,) = [move for move in report.moves if move.column == "income" and move.segment == EVERYONE]
        assert income.judgement.level in (Level.WATCH, Level.ACT)
        assert income.since == "2026-09"
    assert income.judgement.lasting == 2
    assert income.judgement.level is Level.ACT
    assert second.verdict is Verdict.ACT
    assert second.causes == ("mix shift",)


def test_an_earlier_period_of_the_same_applicants_is_no_news(scored: Bench) -> None:
    report, _ = asked(scored, reference="2026-09")
    assert report.reference == "2,000 applications of 2026-09"
    assert report.verdict is Verdict.STABLE
    assert "reason" in {move.column for move in report.moves}, "a period of the log knows its reasons"


def test_the_effect_is_that_of_the_rows(scored: Bench) -> None:
    report, _ = asked(scored, reference="2026-07")
    now, before = (scored.log.decisions(scored.key(period)) for period in ("2026-10", "2026-07"))
    effect = report.effect
    assert effect is not None
    assert effect.approval_rate == (now["decision"] == "approved").mean()
    assert effect.reference_approval_rate == (before["decision"] == "approved").mean()
    assert effect.mean_pd == pytest.approx(now["pd"].mean())
    assert effect.expected_loss == pytest.approx(0.6 * now["pd"][now["decision"] == "approved"].mean())
    score = report.score
    assert score is not None
    apart = np.sort(now["points"]) - np.sort(before["points"])
    assert score.measures["wasserstein"] == pytest.approx(np.abs(apart).mean()), "the mean gap of sorted points"


def test_conduct_counts_decisions_groups_and_what_people_changed(scored: Bench) -> None:
    report, _ = asked(scored)
    assert [one.period for one in report.decision_mix] == list(PERIODS)
    last, rows = report.decision_mix[-1], scored.log.decisions(scored.key())
    assert dict(last.decisions) == rows["decision"].value_counts().to_dict()
    assert (last.reviewed, last.to_approved, last.to_declined) == (1, 1, 0)
    assert sum(last.reasons.values()) == rows["reasons"].dropna().map(len).sum()
    told = rows.merge(scored.log.protected(scored.key()), on="decision_id")
    for one in last.groups:
        theirs = told[told[one.attribute] == one.group]
        assert (one.rows, one.approved) == (len(theirs), (theirs["decision"] == "approved").sum())
    assert {one.group for one in last.groups} == {"f", "m"}


def test_outcomes_of_flat_tables_are_told_by_vintage(scored: Bench, tmp_path: Path) -> None:
    rows = scored.log.decisions(scored.key("2026-07"))
    approved = rows[rows["decision"] == "approved"]
    bad = np.random.default_rng(0).random(len(approved)) < approved["pd"]
    table = pd.DataFrame({"application_id": approved["application_id"], "bad": bad.astype(int)})
    table.to_parquet(tmp_path / "outcomes.parquet")
    outcomes = OutcomeSettings(table=str(tmp_path / "outcomes.parquet"))
    report, _ = asked(scored, outcomes=outcomes)
    assert report.performance is not None
    first, *others = report.performance.vintages
    assert (first.period, first.approved) == ("2026-07", len(approved))
    assert first.matured is not None
    assert (first.matured.loans, first.matured.bad) == (len(approved), bad.sum())
    assert all(one.matured is None and one.estimate is not None for one in others)
    assert "in its level, after 2026-07: outcomes are not known yet" in report.cannot_see[-1]
    others = table.head(30).assign(application_id=[f"X{row}" for row in range(30)])
    pd.concat([table, others]).to_parquet(tmp_path / "outcomes.parquet")
    partly, _ = asked(scored, outcomes=outcomes)
    assert partly.cannot_see[-1].startswith(f"30 of {len(table) + 30:,} outcomes in '")
    again, _ = asked(scored, outcomes=replace(outcomes, table=None))
    assert again.performance is None


@pytest.mark.parametrize("label", ["bad", "default_in_6_months"])
@pytest.mark.parametrize("bad", [0, 1])
def test_outcomes_of_one_class_are_acted_on(scored: Bench, tmp_path: Path, bad: int, label: str) -> None:
    ids = scored.log.decisions(scored.key("2026-08"))["application_id"]
    path = tmp_path / "outcomes.parquet"
    pd.DataFrame({"application_id": ids, label: bad}).to_parquet(path)
    report, _ = asked(scored, period="2026-08", outcomes=OutcomeSettings(table=str(path), bad=label))
    assert report.verdict is Verdict.ACT
    assert "2026-08 contradict the model: the default rate is far from the expected one" in report.sentence
    assert report.causes == ("level shift",)
    (vintage,) = [one for one in report.points if one.heading == "vintage 2026-08"]
    assert vintage.text.startswith(f"2,000 outcomes by {label} (")
    assert {one.heading: one.text for one in report.points}["next step"].startswith("check how the outcomes")


@pytest.mark.parametrize("form", [lambda name: f"X{name}", lambda name: name.replace("-", ""), None])
def test_outcomes_that_match_no_decision_are_inconclusive(
    scored: Bench, tmp_path: Path, form: Callable[[str], str] | None
) -> None:
    ids = scored.log.decisions(scored.key("2026-07"))["application_id"]
    table = pd.DataFrame({"application_id": ids.map(form) if form else ids[:0], "bad": 0.0})
    path = tmp_path / "outcomes.parquet"
    table.to_parquet(path)
    report, _ = asked(scored, period="2026-08", outcomes=OutcomeSettings(table=str(path)))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.sentence.startswith(f"0 of {len(table):,} ids of the outcomes in '{path}' are known to the score log")


def test_a_month_that_is_not_over_is_marked_and_not_compared(scored: Bench) -> None:
    report, _ = asked(scored, today="2026-10-20")
    assert report.verdict is Verdict.INCOMPLETE
    assert report.moves == report.faults == report.decision_mix == ()
    assert report.sentence == "2026-10 is not over on 2026-10-20; no comparison until then."


@pytest.mark.parametrize(("code", "part"), [(-999.0, 0.02), (1e9, 0.05)])
def test_a_code_in_a_scored_month_is_a_fault_with_its_value_and_share(tmp_path: Path, code: float, part: float) -> None:
    bench = made(tmp_path, "scorecard")
    table = applications(2000, seed=30)
    table.loc[: round(part * 2000) - 1, "income"] = code
    score_it(bench, input=str(written(table, tmp_path / "coded.parquet")), period="2026-10", reasons_for=None)
    report, _ = asked(bench)
    assert report.verdict is Verdict.ACT
    assert [(one.kind, one.column) for one in report.faults] == [("values outside the reference", "income")]
    assert f"'income' is {code:,g} in {part:.1%} of 2,000 rows" in report.faults[0].seen
