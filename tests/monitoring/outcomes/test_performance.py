"""Estimates, early reads and the truth by vintage: what each says, and when."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from monitoring.outcomes.earlier_loans import EarlierLoans, density_ratio
from monitoring.outcomes.outcomes import outcomes_of_table
from monitoring.outcomes.performance import PerformanceReport, measure_performance
from monitoring.outcomes.stored_estimates import CALIBRATED, StoredEstimates, estimates_folder
from pipelines.credit.discrimination import auc
from pipelines.credit.loan import UNLABELLED
from pipelines.credit.population import Population
from pipelines.errors import DataError, ThinfileError
from pipelines.score_log.key import LogKey
from pipelines.storage.workspace import Workspace
from tests.monitoring.outcomes.books import BANDS, Book, book

MONTHS = tuple(f"2025-{month:02d}" for month in range(1, 9))
YEAR_BEFORE = tuple(f"2024-{month:02d}" for month in range(1, 13))
NOW = datetime(2025, 9, 1, tzinfo=UTC)


def loans_of(tested: Book) -> EarlierLoans:
    """Return the approved of a book as loans that a model was tested on."""
    approved = tested.decisions["decision"].eq("approved").to_numpy()
    loans = tested.decisions[approved]
    return EarlierLoans(
        tested.full[approved].to_numpy().astype(np.int8),
        loans["pd"].to_numpy(),
        ids=loans["application_id"].to_numpy(dtype=str),
        period=loans["period"].to_numpy(dtype=str),
    )


def measured(
    folder: Path, one: Book, *, early: int = 6, full: int = 4, months: tuple[str, ...] = MONTHS, **others: object
) -> PerformanceReport:
    """Measure with early outcomes of the first `early` months and full ones of the first `full`."""
    return measure_performance(
        one.decisions,
        early=one.outcomes("early", months[:early], "dpd30_at_3_mob"),
        full=one.outcomes("full", months[:full], "dpd90_in_12_months"),
        stored=StoredEstimates(folder),
        bands=BANDS,
        now=NOW,
        **others,  # type: ignore[arg-type]
    )


def test_a_quiet_book_has_each_figure_from_its_own_source(tmp_path: Path) -> None:
    one = book(MONTHS)
    report = measured(tmp_path, one)
    assert [vintage.period for vintage in report.vintages] == list(MONTHS)
    for place, vintage in enumerate(report.vintages):
        assert vintage.estimate is not None
        assert any("P(bad | features)" in blind for blind in vintage.estimate.estimate.cannot_see)
        assert (vintage.early is not None) == (place < 6)
        assert (vintage.matured is not None) == (place < 4)
        assert bool(vintage.reconciled) == (place < 4)
        assert vintage.early_contradiction is None or not vintage.early_contradiction.found
    assert "cannot be detected" in report.vintages[-1].statement
    assert report.vintages[0].statement.endswith("as expected")
    # the truth is that of the approved with an outcome, and of nobody else
    approved = one.decisions["decision"].eq("approved") & one.decisions["period"].eq(MONTHS[0])
    first = report.vintages[0]
    assert first.matured is not None
    assert first.matured.auc is not None
    assert first.matured.loans == approved.sum() == sum(band.rows for band in first.bands)
    assert first.matured.bad == one.full[approved].sum()
    assert first.matured.auc.value == pytest.approx(
        auc(one.full[approved].to_numpy().astype(np.int8), one.decisions["pd"][approved].to_numpy())
    )
    assert first.not_approved is not None
    assert first.not_approved.applications == 2_000 - first.approved
    assert first.not_approved.with_outcome == 0
    assert first.hosmer_lemeshow is not None
    assert first.hosmer_lemeshow.p_value > 0.001


def test_outcomes_of_the_declined_are_part_of_nothing_but_their_own_count(tmp_path: Path) -> None:
    one = book(MONTHS[:1])
    everyone = outcomes_of_table(
        pd.DataFrame({"application_id": one.decisions["application_id"], "bad": one.full}), "dpd90_in_12_months"
    )
    found = measure_performance(
        one.decisions, early=None, full=everyone, stored=StoredEstimates(tmp_path), bands=BANDS, now=NOW
    ).vintages[0]
    declined = one.decisions["decision"].eq("declined")
    assert found.matured is not None
    assert found.not_approved is not None
    assert found.matured.bad == one.full[~declined].sum()
    assert found.not_approved.bad == one.full[declined].sum()
    assert found.not_approved.expected_bad_rate == pytest.approx(one.decisions["pd"][declined].mean())


@pytest.mark.parametrize("seed", range(3))
def test_outcomes_of_a_flat_table_are_compared_for_everyone_who_has_one(tmp_path: Path, seed: int) -> None:
    # given PDs that are right for the approved and too low for those who were not
    one = book(MONTHS[:1], seed=seed)
    declined = one.decisions["decision"].ne("approved").to_numpy()
    low = one.decisions.assign(pd=one.decisions["pd"].mask(declined, 0.06))
    low["decision"] = low["decision"].mask(np.arange(len(low)) % 4 == 0, "declined")
    bad = one.full.mask(low["decision"].ne("approved") & one.full.eq(False) & (np.arange(len(low)) % 8 == 0), True)
    table = pd.DataFrame({"application_id": low["application_id"], "bad": bad.astype(int)})
    outcomes = outcomes_of_table(table, "bad_in_a_year", of_everyone=True)
    # when
    report = measure_performance(low, early=None, full=outcomes, stored=StoredEstimates(tmp_path), bands=BANDS, now=NOW)
    # then
    (found,) = report.vintages
    approved = low["decision"].eq("approved")
    assert found.matured is not None
    assert (found.matured.loans, found.matured.bad) == (approved.sum(), bad[approved].sum())
    assert found.everyone is not None
    assert (found.everyone.loans, found.everyone.bad) == (len(low), bad.sum())
    assert found.matured_contradiction is not None
    assert found.matured_contradiction.level_moved
    assert found.matured_contradiction.level.observed == pytest.approx(bad.mean())
    assert found.matured_contradiction.level.expected == pytest.approx(low["pd"].mean())
    others = len(low) - approved.sum()
    assert f"by bad_in_a_year ({approved.sum():,} of approved applications, {others:,} of others)" in found.statement
    assert sum(band.rows for band in found.bands) == len(low)
    assert "inferred, reported separately" in report.selection


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("share", "rows"), [(1.0, 2000), (1.0, 60), (0.995, 2000), (0.0, 2000)])
def test_outcomes_of_one_class_contradict_the_level(tmp_path: Path, share: float, rows: int, seed: int) -> None:
    one = book(MONTHS[:1], rows=rows, seed=seed)
    bad = np.random.default_rng(seed).permutation(rows) < share * rows
    found = measured(tmp_path, Book(one.decisions, one.early, pd.Series(bad))).vintages[0]
    assert found.matured_contradiction is not None
    assert found.matured_contradiction.level_moved
    assert found.matured_contradiction.ranking is None
    assert "with too few of one class to test the ranking" in found.statement


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rows", [10, 30, 100, 250])
def test_few_outcomes_at_the_level_of_the_pds_contradict_none(tmp_path: Path, rows: int, seed: int) -> None:
    found = measured(tmp_path, book(MONTHS[:1], rows=rows, seed=seed)).vintages[0].matured_contradiction
    assert found is None or not found.level_moved


def test_a_concept_change_is_unseen_without_labels_and_caught_early(tmp_path: Path) -> None:
    quiet, changed = book(MONTHS, rows=3_000), book(MONTHS, rows=3_000, changed=MONTHS[4:])
    before, after = measured(tmp_path / "quiet", quiet), measured(tmp_path / "changed", changed)
    for same, other in zip(before.vintages, after.vintages, strict=True):
        assert same.estimate is not None
        assert other.estimate is not None
        assert same.estimate.estimate == other.estimate.estimate  # it cannot know, and says so
    caught = [one.early_contradiction for one in after.vintages if one.early_contradiction]
    assert [one.ranks_worse for one in caught] == [False, False, False, True, True]
    assert caught[-1].since == MONTHS[4]
    assert "ranks worse" in after.vintages[5].statement
    assert "cannot detect" in after.vintages[5].statement
    assert "cannot be detected" in after.vintages[7].statement


def test_a_level_shift_is_told_apart_from_a_worse_ranking(tmp_path: Path) -> None:
    months = YEAR_BEFORE + MONTHS
    doubled = book(months, doubled=months[12:])
    found = measured(tmp_path, doubled, months=months, early=14).vintages[13].early_contradiction
    assert found is not None
    assert found.level_moved
    assert not found.ranks_worse
    assert found.since == months[12]
    # fewer months do not show how much levels move
    short = book(months[6:], doubled=months[12:])
    unsure = measured(tmp_path, short, months=months[6:], early=8).vintages[7].early_contradiction
    assert unsure is not None
    assert not unsure.level_moved


def test_loans_that_the_model_was_tested_on_tell_a_level_shift_from_the_first_vintages_on(tmp_path: Path) -> None:
    tested = book(YEAR_BEFORE, rows=4_000, seed=1)
    doubled = book(MONTHS, rows=4_000, doubled=MONTHS[:2])
    outcomes = pd.concat([one.decisions.assign(bad=one.early) for one in (tested, doubled)])
    first, second, third = measure_performance(
        doubled.decisions[doubled.decisions["period"].isin(MONTHS[:3])],
        early=outcomes_of_table(outcomes, "dpd30_at_3_mob"),
        full=doubled.outcomes("full", MONTHS[:3], "dpd90_in_12_months"),
        stored=StoredEstimates(tmp_path),
        bands=BANDS,
        now=NOW,
        earlier=loans_of(tested),
    ).vintages
    assert first.early_contradiction is not None
    assert first.early_contradiction.level.p_value < 0.01
    for one in (second.early_contradiction, second.matured_contradiction):
        assert one is not None
        assert one.level_moved
        assert not one.ranks_worse
        assert one.since == MONTHS[0]
        assert "2024-01 to 2025-01" in one.expected_from
    for one in (third.early_contradiction, third.matured_contradiction):
        assert one is not None
        assert not one.found, "a campaign that is over is no lasting change"


def test_an_offset_that_tested_loans_had_is_no_news(tmp_path: Path) -> None:
    tested = book(YEAR_BEFORE, seed=1, doubled=YEAR_BEFORE)
    one = book(MONTHS, doubled=MONTHS)
    without = measured(tmp_path / "without", one).vintages[0].matured_contradiction
    known = measured(tmp_path / "known", one, earlier=loans_of(tested)).vintages[0].matured_contradiction
    assert without is not None
    assert without.level_moved
    assert known is not None
    assert not known.found


@pytest.mark.parametrize("later_too", [True, False])
def test_first_payments_are_a_sign_of_fraud_where_later_ones_are_as_they_were(tmp_path: Path, later_too: bool) -> None:
    # given that twice as many first payments fail in the last two vintages, and later payments too or not
    months = YEAR_BEFORE + MONTHS[:2]
    one, steady = book(months, rows=3_000, doubled=months[12:]), book(months, rows=3_000, seed=1)
    first = one.decisions.assign(bad=one.early)
    later = one.decisions.assign(bad=one.full if later_too else steady.full)[~one.early]
    # when
    tables = {"first_payment": outcomes_of_table(first, "first"), "later": outcomes_of_table(later, "later")}
    newest = measured(tmp_path, one, months=months, early=0, full=0, **tables).vintages[-1]
    # then
    assert newest.first_payment_contradiction is not None
    assert newest.fraud_contradiction is not None
    assert newest.first_payment_contradiction.level_moved
    assert newest.fraud_contradiction.found is not later_too
    assert newest.statement.startswith("first payments fail")
    assert ("beyond what the later payments" in newest.statement) is not later_too


def test_estimates_are_not_made_again_with_hindsight(tmp_path: Path) -> None:
    # given estimates made before any outcome was known
    one = book(MONTHS)
    measured(tmp_path, one, early=0, full=0)
    files = {path: path.read_bytes() for path in tmp_path.glob("*.parquet")}
    assert len(files) == len(MONTHS)
    # when outcomes come
    report = measured(tmp_path, one)
    # then nothing was written, and the error of each is told
    assert {path: path.read_bytes() for path in tmp_path.glob("*.parquet")} == files
    first = report.vintages[0]
    assert first.matured is not None
    rate = next(row for row in first.reconciled if row.measure == "bad_rate")
    assert rate.is_foresight
    assert rate.error == pytest.approx(rate.estimated - first.matured.bad_rate.value)
    assert rate.error_on_same_loans == pytest.approx(rate.error)
    past = {row.measure: row for row in report.past_errors}
    assert past["auc"].vintages == past["auc"].foresight == 4
    assert past["auc"].inside >= 3
    assert past["auc"].mean_absolute_error < 0.03
    # and estimates made after that are no foresight
    late = measured(tmp_path / "late", one)
    assert not any(row.is_foresight for row in late.vintages[0].reconciled)


def test_the_estimate_of_a_whole_month_takes_the_place_of_that_of_a_running_one(tmp_path: Path) -> None:
    one = book(MONTHS[:1])
    stored = StoredEstimates(tmp_path)
    for rows in (500, 2_000, 1_900):
        part = one.decisions.iloc[:rows]
        found = measure_performance(part, early=None, full=None, stored=stored, bands=BANDS, now=NOW).vintages[0]
    approved = int(one.decisions["decision"].eq("approved").sum())
    assert len(list(tmp_path.glob(f"{MONTHS[0]}-{CALIBRATED}-*.parquet"))) == 3
    assert found.estimate is not None
    assert found.estimate.estimate.rows == approved


def test_a_kept_estimate_that_is_garbled_is_named(tmp_path: Path) -> None:
    one = book(MONTHS[:1], rows=50)
    measured(tmp_path, one)
    next(tmp_path.glob("*.parquet")).write_bytes(b"PAR1")
    with pytest.raises(ThinfileError, match="cannot be read"):
        measured(tmp_path, one)


def test_estimates_lie_beside_the_reports(tmp_path: Path) -> None:
    folder = estimates_folder(Workspace.at(str(tmp_path)), LogKey("m", 2, Population.applications, "2025-01"))
    assert folder == tmp_path / "reports" / "m" / "version-2" / "applications" / "estimates"


def test_arrow_and_pandas_are_alike(tmp_path: Path) -> None:
    one = book(MONTHS[:2], rows=200)
    table = Book(pa.Table.from_pandas(one.decisions), one.early, one.full)  # type: ignore[arg-type]
    stored = StoredEstimates(tmp_path)
    reports = [
        measure_performance(each.decisions, early=None, full=None, stored=stored, bands=BANDS) for each in (one, table)
    ]
    assert reports[0] == reports[1]


def test_tiny_and_empty_vintages_say_that_they_are_too_few(tmp_path: Path) -> None:
    one = book(MONTHS[:2], rows=30)
    one.decisions.loc[one.decisions["period"] == MONTHS[1], "decision"] = "declined"
    first, second = measured(tmp_path, one).vintages
    assert "too few" in first.statement
    assert first.matured is not None
    assert first.matured.auc is None
    assert first.hosmer_lemeshow is None
    assert second.approved == 0
    assert second.estimate is None


def test_the_reweighted_estimate_follows_a_shift_that_the_pds_do_not_know(tmp_path: Path) -> None:
    # given PDs that miss what `young` does to the odds, and a month in which the young are many
    generator = np.random.default_rng(1)

    def drawn(rows: int, share: float) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
        young, pd_ = generator.random(rows) < share, generator.beta(1.2, 9, rows)
        odds = pd_ / (1 - pd_) * np.where(young, 3.0, 0.8)
        bad = generator.random(rows) < odds / (1 + odds)
        return pd.DataFrame({"young": young.astype(float), "channel": np.where(young, "app", None)}), pd_, bad

    features, pd_, bad = drawn(4_000, 0.1)
    now, pd_now, bad_now = drawn(2_000, 0.7)
    ids = [str(row) for row in range(2_000)]
    decisions = pd.DataFrame(
        {"application_id": ids, "pd": pd_now, "band": "A", "decision": "approved", "period": MONTHS[0]}
    )
    found = measure_performance(
        decisions, early=None, full=None, stored=StoredEstimates(tmp_path), bands=BANDS,
        earlier=EarlierLoans(bad.astype(np.int8), pd_, features), features=now.set_index(pd.Index(ids)),
    ).vintages[0]  # fmt: skip
    # then
    assert found.estimate is not None
    assert found.reweighted is not None
    assert found.recalibrated is not None
    rate = float(bad_now.mean())
    assert found.reweighted.estimate.bad_rate.holds(rate)
    assert found.reweighted.recalibration is not None
    assert found.reweighted.recalibration.intercept > found.recalibrated.recalibration.intercept + 0.5  # type: ignore[union-attr]
    assert not found.estimate.estimate.bad_rate.holds(rate)
    assert found.recalibrated.estimate.bad_rate.high < rate
    weight = density_ratio(features, now)
    assert weight[features["young"] == 1].mean() == pytest.approx(7, rel=0.15)
    # and where nothing overlaps it says nothing
    apart = EarlierLoans(bad.astype(np.int8), pd_, features.assign(young=5.0))
    assert apart.recalibration_for(now.assign(young=-5.0)) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="band"), "have no column band"),
        (lambda table: table.assign(pd=1.5), "outside 0 to 1"),
        (lambda table: pd.concat([table, table]), "several decisions for the same application"),
    ],
)
def test_broken_decisions_are_refused(tmp_path: Path, change: object, message: str) -> None:
    broken = change(book(MONTHS[:1], rows=20).decisions)  # type: ignore[operator]
    with pytest.raises(DataError, match=message):
        measure_performance(broken, early=None, full=None, stored=StoredEstimates(tmp_path), bands=BANDS)


def test_outcomes_are_joined_by_id_and_broken_ones_refused() -> None:
    table = pd.DataFrame({"application_id": [3, 1, 2], "bad": [1.0, None, 0.0]})
    found = outcomes_of_table(table, "any").of(pa.array(["1", "2", "3", "4"]))
    assert found.tolist() == [UNLABELLED, 0, 1, UNLABELLED]
    for wrong, message in (
        (table.assign(bad=[1, 2, 0]), "'bad' has the value 2"),
        (table.assign(application_id=[1, 1, 2]), "'1' has more than one outcome"),
        (table.drop(columns="bad"), "has no column 'bad'"),
    ):
        with pytest.raises(DataError, match=message):
            outcomes_of_table(wrong, "any")
