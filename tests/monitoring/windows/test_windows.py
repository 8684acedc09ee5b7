"""A window read from the counts beside the log is the window read from its rows; unfinished months are not compared."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from monitoring.watch.settings import WatchSettings
from monitoring.windows.months import joined
from monitoring.windows.references import reference_for
from monitoring.windows.settings import DEVELOPMENT, WindowKind
from monitoring.windows.windows import PeriodCounts, check_window, day_of, open_window, policy_hash_of, why_incomplete
from pipelines.credit.population import Population
from pipelines.errors import ConfigurationError, RequestError
from tests.pipelines.batch.conftest import Bench, applications, made, score_it, written

TODAY = "2027-01-01"


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("windows")
    bench = made(folder, "scorecard")
    whole, large = (written(applications(700, seed), folder / f"{seed}.parquet") for seed in (3, 4))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("pipelines.storage.parquet_parts.LEAST_ROWS", 100)
        score_it(bench, input=str(whole), segments=["region"])
        score_it(bench, input=str(large), period="2026-11", features_kept=100, segments=["region"])
    return bench


def counts_of(scored: Bench) -> PeriodCounts:
    return PeriodCounts(scored.log, scored.reference)


def asked(period: str = "2026-10", **other: object) -> WatchSettings:
    return WatchSettings(period=period, today=TODAY, **other)  # type: ignore[arg-type]


def test_counts_say_what_rows_say(scored: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    log, key = scored.log, scored.key()
    from_counts = open_window(PeriodCounts(log, scored.reference), key, asked())
    assert len(log.partitions(key)) == 7
    with monkeypatch.context() as patched:
        patched.setattr(type(log), "part", None)  # no rows are needed
        open_window(PeriodCounts(log, scored.reference), key, asked())
    for place, file in enumerate(sorted((scored.workspace.score_log / "profiles").rglob("period=2026-10/*.json"))):
        if place % 2:
            file.unlink()  # some partitions have none: those are read
    mixed = open_window(PeriodCounts(log, scored.reference), key, asked())
    assert len(from_counts) == len(mixed) == 700
    for ours, theirs in (
        (from_counts.profile.overall, mixed.profile.overall),
        *((tally, mixed.profile.segments[name]) for name, tally in from_counts.profile.segments.items()),
    ):
        assert {name: found.tolist() for name, found in ours.columns.items()} == {
            name: found.tolist() for name, found in theirs.columns.items()
        }
        assert (ours.decisions, ours.bands) == (theirs.decisions, theirs.bands)
        assert ours.scores.rows.tolist() == theirs.scores.rows.tolist()
        np.testing.assert_allclose(ours.scores.pd, theirs.scores.pd)


def test_the_policy_is_that_of_the_last_part_with_decisions(scored: Bench) -> None:
    expected = policy_hash_of(scored.log, scored.key())
    first = scored.log.file(scored.key(), scored.log.partitions(scored.key())[0])
    empty = first.with_name("zzz.parquet")
    pq.write_table(pq.read_table(first, partitioning=None).slice(0, 0), empty)
    try:
        assert scored.log.partitions(scored.key())[-1] == "zzz.parquet"
        assert len(expected) == 64
        assert policy_hash_of(scored.log, scored.key()) == expected
    finally:
        empty.unlink()


def test_counts_in_other_bins_are_not_taken_for_these(scored: Bench) -> None:
    other = made(scored.workspace.root.parent / "other", "scorecard").reference
    changed = type(other)(other.rows, other.population, other.bins[:-1], other.counts)
    with pytest.raises(RequestError, match=r"was counted in other bins .* only a sample of its features is stored"):
        PeriodCounts(scored.log, changed).of(scored.key("2026-11"))


def test_a_window_of_more_periods_is_their_sum(scored: Bench) -> None:
    first, second = (counts_of(scored).of(scored.key(period)) for period in ("2026-10", "2026-11"))
    for kind in (WindowKind.rolling, WindowKind.since_promotion):
        window = open_window(counts_of(scored), scored.key("2026-11"), asked("2026-11", window=kind))
        assert (window.periods, window.name) == (("2026-10", "2026-11"), "2026-10 to 2026-11")
        for name, found in window.profile.overall.columns.items():
            assert (found == first.overall.columns[name] + second.overall.columns[name]).all()
    window = open_window(
        counts_of(scored),
        scored.key("2026-11"),
        asked("2026-11", window=WindowKind.rolling, months=1),
    )
    assert window.periods == ("2026-11",)


def test_months_between_that_were_not_scored_are_named() -> None:
    assert (
        joined(["2026-07", "2026-09", "2026-10", "2027-01"]) == "2026-07 to 2027-01 (without 2026-08, 2026-11, 2026-12)"
    )


def test_a_range_of_months_is_pointed_to_a_rolling_window() -> None:
    with pytest.raises(RequestError, match="set period=2026-11 window=rolling months=3 to compare"):
        check_window("2026-09..2026-11", asked())
    for period in ("2026-11..2026-09", "2026-9", "x..y"):
        with pytest.raises(RequestError, match=f"period must be a month such as 2026-10, received '{period}'"):
            check_window(period, asked())
    with pytest.raises(RequestError, match="months is 0; set at least 1"):
        check_window("2026-11", asked(months=0))
    with pytest.raises(ConfigurationError, match="today is 'soon'; write an ISO date"):
        day_of("soon")


def test_a_month_that_is_not_over_is_incomplete() -> None:
    assert why_incomplete("2026-11", "2026-12-01") is None
    assert why_incomplete("2026-11", "2026-11-30") == "2026-11 is not over on 2026-11-30"


def test_a_batch_that_was_not_finished_leaves_its_month_incomplete(scored: Bench) -> None:
    (manifest,) = (scored.workspace.score_log / "manifests").rglob("period=2026-11/*.json")
    told = manifest.read_text()
    manifest.write_text(told.replace('"closed": true', '"closed": false'))
    window = open_window(counts_of(scored), scored.key("2026-11"), asked("2026-11"))
    manifest.write_text(told)
    assert window.incomplete is not None
    assert window.incomplete.startswith("2026-11 is only partly scored")
    assert open_window(counts_of(scored), scored.key("2026-11"), asked("2026-11")).incomplete is None


def test_a_period_that_was_not_scored_is_refused_with_those_that_were(scored: Bench) -> None:
    with pytest.raises(RequestError, match=r"has no scores of 2026-12 \(it has: 2026-10, 2026-11\)"):
        open_window(counts_of(scored), scored.key("2026-12"), asked("2026-12"))


def test_an_earlier_period_is_a_reference_for_any_population(scored: Bench) -> None:
    counts, key = counts_of(scored), scored.key("2026-11")
    found = reference_for(counts, key, "2026-10")
    assert (found.name, list(found.overall)) == ("700 applications of 2026-10", ["2026-10"])
    assert set(found.segments) == {"region=north", "region=south"}
    development = reference_for(counts, key, DEVELOPMENT)
    assert development.total.rows == scored.reference.rows == 3000
    assert set(development.segments) == {"region=north", "region=south"}, (
        "segments are compared with their own earlier periods"
    )
    with pytest.raises(RequestError, match="or compare with an earlier period of the score log: reference=YYYY-MM"):
        reference_for(counts_of(scored), scored.key("2026-11", Population.book), DEVELOPMENT)


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("2026-11", "is not before the window, which begins with 2026-11"),
        ("2026-10..2026-12", "is not before the window, which begins with 2026-11"),
        ("2026-09", "was not scored"),
        ("2026-09..2026-10", "was not scored"),
    ],
)
def test_a_reference_lies_before_its_window_and_was_scored(scored: Bench, reference: str, problem: str) -> None:
    with pytest.raises(RequestError, match=rf"reference={reference} {problem} \(scored before it: 2026-10\)"):
        reference_for(counts_of(scored), scored.key("2026-11"), reference)


def test_a_reference_begins_before_it_ends(scored: Bench) -> None:
    with pytest.raises(RequestError, match=r"ends before it begins; write reference=2026-01\.\.2026-10$"):
        reference_for(counts_of(scored), scored.key("2026-11"), "2026-10..2026-01")
