"""Splits look back only, keep equal times together, and never share a row."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.applications.applications import Applications
from pipelines.applications.roles import Roles
from pipelines.applications.settings import SplitSettings
from pipelines.applications.splits import split_applications
from pipelines.credit.loan import add_months
from pipelines.errors import ConfigurationError, DataError

ROLES = Roles(id="id", time="t", label="bad", bad="1", protected=(), numeric=("x",), categorical=())
DATED = replace(ROLES, outcome_known_at="known_at")


def applications(days: list[int] | None, bad: list[int]) -> Applications:
    rows = len(bad)
    return Applications(
        features=pd.DataFrame({"x": np.zeros(rows)}),
        ids=np.array([f"A{row:04d}" for row in range(rows)]),
        times=None if days is None else np.datetime64("2024-01-01", "us") + np.array(days) * np.timedelta64(1, "D"),
        bad=np.array(bad, dtype=np.int8),
        protected=pd.DataFrame(index=range(rows)),
        roles=DATED,
        fingerprint="f",
        quarantined={},
    )


ALTERNATING = [0, 1] * 100


def test_out_of_time_folds_and_test_look_back_only() -> None:
    days = np.random.default_rng(0).permutation(200).tolist()
    given_rows = applications(days, ALTERNATING)
    split = split_applications(given_rows, SplitSettings(cutoff="2024-05-30"))
    times = given_rows.times
    assert times is not None
    assert times[split.development].max() < np.datetime64("2024-05-30") <= times[split.test].min()
    assert len(split.test) == 50
    for fold in split.folds:
        fit, held_out = times[split.development][fold.fit], times[split.development][fold.held_out]
        assert fit.max() < held_out.min()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=60, max_size=120))
def test_equal_times_stay_on_one_side(days: list[int]) -> None:
    given_rows = applications(days, [row % 2 for row in range(len(days))])
    try:
        split = split_applications(given_rows, SplitSettings(folds=2))
    except DataError:
        return  # too few days to give every part both outcomes: said so, not split wrongly
    times = given_rows.times
    assert times is not None
    assert not set(times[split.development]) & set(times[split.test])
    for fold in split.folds:
        development = times[split.development]
        assert not set(development[fold.fit]) & set(development[fold.held_out])


def test_without_times_parts_are_stratified_and_disjoint() -> None:
    bad = [1] * 60 + [0] * 140
    split = split_applications(applications(None, bad), SplitSettings())
    assert sorted([*split.development, *split.test]) == list(range(200))
    assert (len(split.test), np.array(bad)[split.test].sum()) == (60, 18)
    held_out = np.concatenate([fold.held_out for fold in split.folds])
    assert sorted(held_out) == list(range(140))


def test_the_test_part_is_known_by_its_applications_not_by_their_order() -> None:
    rows = applications(None, ALTERNATING)
    shuffled = replace(rows, ids=rows.ids[::-1].copy())
    first, second = (split_applications(one, SplitSettings()) for one in (rows, shuffled))
    assert (first.test_part == second.test_part) == (set(rows.ids[first.test]) == set(shuffled.ids[second.test]))
    assert split_applications(rows, SplitSettings(seed=1)).test_part != first.test_part


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"test": 1.5}, r"split.test is 1.5; set a share between 0 and 1"),
        ({"folds": 1}, "split.folds is 1; set at least 2"),
        ({"cutoff": "next year"}, "split.cutoff is 'next year'; write an ISO date"),
    ],
)
def test_a_split_outside_its_range_is_told(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        split_applications(applications(list(range(200)), ALTERNATING), SplitSettings(**changed))  # type: ignore[arg-type]


def test_a_cutoff_without_a_time_role_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"data\.time is not set; add data\.time=COLUMN"):
        split_applications(applications(None, ALTERNATING), SplitSettings(cutoff="2024-01-01"))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 0.6), st.integers(2, 6), st.integers(30, 80))
def test_no_row_is_lost_or_shared_and_shares_are_kept(seed: int, test: float, folds: int, rows_of_each: int) -> None:
    bad = [1] * rows_of_each + [0] * (2 * rows_of_each)
    split = split_applications(applications(None, bad), SplitSettings(test=test, folds=folds, seed=seed))
    assert sorted([*split.development, *split.test]) == list(range(len(bad)))
    assert abs(len(split.test) - test * len(bad)) <= 1
    assert abs(np.array(bad)[split.test].mean() - 1 / 3) < 1 / len(split.test)
    for fold in split.folds:
        assert sorted([*fold.fit, *fold.held_out]) == list(range(len(split.development)))
    assert sorted(np.concatenate([fold.held_out for fold in split.folds])) == list(range(len(split.development)))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 6), st.floats(0.1, 0.6))
def test_out_of_time_each_row_is_held_out_at_most_once_and_the_last_ones_tested(
    seed: int, folds: int, test: float
) -> None:
    days = np.random.default_rng(seed).permutation(100)
    given_rows = applications(days.tolist(), (days % 2).tolist())
    split = split_applications(given_rows, SplitSettings(test=test, folds=folds))
    assert sorted([*split.development, *split.test]) == list(range(100))
    assert abs(len(split.test) - 100 * test) <= 1
    assert set(days[split.test]) == set(range(100 - len(split.test), 100))
    held_out = np.concatenate([fold.held_out for fold in split.folds])
    assert len(set(held_out)) == len(held_out)
    sizes = [len(fold.held_out) for fold in split.folds]
    assert max(sizes) - min(sizes) <= 1


def test_the_cutoff_itself_belongs_to_the_test() -> None:
    split = split_applications(applications(list(range(200)), ALTERNATING), SplitSettings(cutoff="2024-03-01"))
    assert split.test.min() == 60  # 31 days of January and 29 of February come before it


@pytest.mark.parametrize(
    ("cutoff", "message"),
    [
        (
            "2030-01-01",
            r"no application was made on or after the cutoff 2030-01-01 \(latest 2024-07-18\); lower split.cutoff",
        ),
        (
            "2020-01-01",
            r"no application was made before the cutoff 2020-01-01 \(earliest 2024-01-01\); raise split.cutoff",
        ),
        (
            "2024-01-03",
            r"have 2 distinct dates, and 5 folds need 6 periods .*; split.cutoff=2024-06-09 leaves 160, and 40",
        ),
    ],
)
def test_a_cutoff_that_leaves_a_part_empty_is_told(cutoff: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        split_applications(applications(list(range(200)), ALTERNATING), SplitSettings(cutoff=cutoff))


def test_a_part_with_one_outcome_is_told() -> None:
    with pytest.raises(DataError, match=r"the test part has 0 bad of 60, .*; change split.cutoff"):
        split_applications(applications(list(range(200)), [0, 1] * 70 + [0] * 60), SplitSettings())


def test_too_few_of_one_outcome_for_the_folds_is_told() -> None:
    with pytest.raises(DataError, match=r"rarer outcome has 9 applications, .* need at least 10 of each"):
        split_applications(applications(None, [1] * 9 + [0] * 91), SplitSettings())


def test_the_same_seed_gives_the_same_parts() -> None:
    first, second = (split_applications(applications(None, ALTERNATING), SplitSettings(seed=7)) for _ in range(2))
    assert first.test_part == second.test_part
    for one, other in zip(first.folds, second.folds, strict=True):
        np.testing.assert_array_equal(one.held_out, other.held_out)


@pytest.mark.parametrize("test", [0.001, 0.96, 0.999])
def test_a_share_that_leaves_too_little_is_told(test: float) -> None:
    with pytest.raises((ConfigurationError, DataError), match=r"split\.test"):
        split_applications(applications(None, ALTERNATING), SplitSettings(test=test))


def test_no_rows_at_all_is_told() -> None:
    with pytest.raises(DataError):
        split_applications(applications([], []), SplitSettings())


def matured(days: list[int], window: int) -> Applications:
    """Return applications whose outcome is known so many days after they were made."""
    rows = applications(days, [row % 2 for row in range(len(days))])
    assert rows.times is not None
    return replace(rows, outcome_known_at=rows.times + np.timedelta64(window, "D"))


@pytest.mark.parametrize(("window", "folds_keep_it"), [(20, True), (60, False)])
def test_what_was_not_known_when_the_test_begins_is_under_embargo(window: int, folds_keep_it: bool) -> None:
    rows = matured(list(range(200)), window)
    split = split_applications(rows, SplitSettings(cutoff="2024-05-30", folds=3))
    assert rows.times is not None
    assert rows.outcome_known_at is not None
    begin = rows.times[split.test].min()
    assert rows.outcome_known_at[split.development].max() <= begin
    assert len(split.development) + len(split.test) == 200 - (window - 1)
    assert f"{window - 1} under embargo" in split.description
    assert ("folds have an embargo too" in split.description) == folds_keep_it
    known, times = rows.outcome_known_at[split.development], rows.times[split.development]
    for fold in split.folds:
        assert times[fold.fit].max() < times[fold.held_out].min()
        assert not folds_keep_it or known[fold.fit].max() <= times[fold.held_out].min()


def test_a_window_longer_than_the_past_leaves_nothing_to_learn_from() -> None:
    with pytest.raises(
        DataError,
        match=r"^0 of 150 applications before the cutoff 2024-05-30 .*; a performance window of 3 months leaves 60",
    ):
        split_applications(matured(list(range(200)), 300), SplitSettings(cutoff="2024-05-30"))


def dated(seed: int, counts: list[int], months_apart: int, rate: float = 0.2) -> Applications:
    """Return applications on the first day of every so many months, as a monthly or quarterly extract has them."""
    generator = np.random.default_rng(seed)
    months = np.datetime64("2023-01") + months_apart * np.repeat(np.arange(len(counts)), counts)
    rows = applications(None, generator.binomial(1, rate, sum(counts)).tolist())
    order = generator.permutation(sum(counts))
    return replace(rows, times=months[order].astype("datetime64[us]"))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("months_apart", "dates", "folds"), [(1, 10, 5), (1, 24, 5), (3, 6, 3)])
def test_monthly_and_quarterly_dates_leave_every_fold_with_both_outcomes(
    seed: int, months_apart: int, dates: int, folds: int
) -> None:
    # given: the first date has more than a sixth of all rows, and the number falls
    rows = dated(seed, [300, *np.linspace(250, 100, dates - 1).astype(int)], months_apart)
    split = split_applications(rows, SplitSettings(folds=folds, seed=seed))
    assert rows.times is not None
    times, bad = rows.times[split.development], rows.outcomes[split.development]
    assert len(split.folds) == folds
    begins = [times[fold.held_out].min() for fold in split.folds]
    assert len(set(begins)) == folds
    assert begins == sorted(begins)
    for fold in split.folds:
        assert times[fold.fit].max() < times[fold.held_out].min()
        assert set(bad[fold.fit]) == set(bad[fold.held_out]) == {0, 1}
    assert rows.times[split.development].max() < rows.times[split.test].min()


def most_blocks(times: np.ndarray, bad: np.ndarray) -> int:
    """Return by dynamic programming into how many runs of dates with both outcomes a history can be divided."""
    outcomes = [bad[times == date] for date in np.unique(times)]
    best = [0] + [-1] * len(outcomes)
    for end in range(1, len(outcomes) + 1):
        for begin in range(end):
            if best[begin] >= 0 and len(set(np.concatenate(outcomes[begin:end]))) == 2:
                best[end] = max(best[end], best[begin] + 1)
    return max(best[-1], 0)


@pytest.mark.parametrize("seed", range(12))
def test_folds_are_made_wherever_the_dates_allow_them_and_otherwise_their_number_is_advised(seed: int) -> None:
    # given: few bad ones, so that many dates have none
    rows = dated(seed, [40] * 12, 1, rate=0.02)
    rows = replace(rows, bad=np.where(rows.times == rows.times.max(), np.arange(len(rows)) % 2, rows.outcomes))  # type: ignore[union-attr]
    settings = SplitSettings(folds=5, cutoff="2023-12-01")
    assert rows.times is not None
    before = rows.times < np.datetime64("2023-12-01")
    possible = most_blocks(rows.times[before], rows.outcomes[before]) - 1
    if possible >= 5:
        assert len(split_applications(rows, settings).folds) == 5
        return
    with pytest.raises(DataError, match="have 11 distinct dates, and 5 folds need 6 periods") as error:
        split_applications(rows, settings)
    assert (f"set split.folds={possible}" in str(error.value)) == (possible >= 2)
    if possible >= 2:
        assert len(split_applications(rows, replace(settings, folds=possible)).folds) == possible


def advised(message: str, rows: Applications, given: SplitSettings) -> list[tuple[Applications, SplitSettings]]:
    """Return what a message advises: other settings, or outcomes that were known after a shorter window."""
    found = []
    if folds := re.search(r"set split\.folds=(\d+)", message):
        found.append((rows, replace(given, folds=int(folds[1]))))
    if cutoff := re.search(r"split\.cutoff=([\d-]+) leaves", message):
        found.append((rows, replace(given, cutoff=cutoff[1])))
    if window := re.search(r"a performance window of (\d+) month", message):
        assert rows.times is not None
        found.append((replace(rows, outcome_known_at=add_months(rows.times, int(window[1]))), given))
    return found


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_advised_can_be_split(seed: int) -> None:
    # given: histories of few dates, bads in some of them alone, customers with several rows, and late outcomes
    generator = np.random.default_rng(seed)
    months_apart, dates = (1, int(generator.integers(4, 16))) if seed % 2 else (3, int(generator.integers(3, 9)))
    rows = dated(seed, generator.integers(5, 40, dates).tolist(), months_apart, rate=generator.choice([0.05, 0.2]))
    assert rows.times is not None
    if seed % 3 == 0:
        groups = np.array([f"c{one}" for one in generator.integers(0, 2 * len(rows) // 3, len(rows))], object)
        rows = replace(rows, groups=groups)
    if seed % 5 < 3:
        rows = replace(rows, outcome_known_at=add_months(rows.times, 3 + 3 * (seed % 5)))
    given = SplitSettings(folds=4, cutoff=str(np.unique(rows.times)[2 * dates // 3])[:10] if seed % 4 == 0 else None)
    try:
        split_applications(rows, given)
    except DataError as error:
        for other, settings in advised(str(error), rows, given):
            assert split_applications(other, settings).folds


def test_a_test_part_without_bads_is_told_with_the_sign_of_immaturity() -> None:
    rows = applications(list(range(400)), [row % 2 if row < 200 else 0 for row in range(400)])
    with pytest.raises(DataError, match=r"the test part has 0 bad of 120, .*; possible immaturity: the bad rate falls"):
        split_applications(rows, SplitSettings(folds=2))


def test_development_without_the_twins_of_the_test_is_told_so() -> None:
    rows = applications(list(range(200)), ALTERNATING)
    with pytest.raises(
        DataError, match=r"the 0 applications before .* \(0 bad\), without 140 twins of test applications"
    ):
        split_applications(replace(rows, groups=np.full(200, "c", object)), SplitSettings())


def test_one_date_is_told_and_of_two_the_later_is_tested() -> None:
    with pytest.raises(DataError, match=r"all 90 applications have the time 2023-01-01, .*; add data"):
        split_applications(dated(0, [90], 1), SplitSettings())
    with pytest.raises(DataError, match="have 1 distinct dates, and 5 folds need 6 periods"):
        split_applications(dated(0, [900, 90], 1), SplitSettings())


@pytest.mark.parametrize("months", [6, 9])
def test_a_history_that_is_short_for_its_window_gets_advice_that_holds(months: int) -> None:
    rows, declared = dated(1, [100] * 12, 1), SplitSettings(cutoff="2023-08-01", folds=4)
    assert rows.times is not None
    known_at = (rows.times.astype("datetime64[M]") + months).astype("datetime64[us]")
    with pytest.raises(DataError) as error:
        split_applications(replace(rows, outcome_known_at=known_at), declared)
    left = 100 * max(0, 8 - months)
    assert f"{left} of 700 applications before the cutoff 2023-08-01 are left for development" in str(error.value)
    # then the window that it names leaves what it says, and is enough for the folds
    shorter = int(str(error.value).partition("a performance window of ")[2].split()[0])
    shorter_at = (rows.times.astype("datetime64[M]") + shorter).astype("datetime64[us]")
    assert f"leaves {int((shorter_at <= np.datetime64('2023-08-01')).sum()):,}" in str(error.value)
    split_applications(replace(rows, outcome_known_at=shorter_at), declared)


def test_a_short_history_with_enough_dates_is_split_with_advice() -> None:
    rows = applications(list(range(400)), [0, 1] * 200)
    assert rows.times is not None
    rows = replace(rows, outcome_known_at=rows.times + np.timedelta64(250, "D"))
    split = split_applications(rows, SplitSettings(cutoff="2024-10-27", folds=3))
    assert len(split.development) == 51
    assert split.advice is not None
    assert "51 of 300 applications before the cutoff 2024-10-27 are left for development" in split.advice
    assert "without an embargo" not in split.advice
    long = split_applications(rows, SplitSettings(cutoff="2024-12-31", folds=3))
    assert long.advice is None


def test_a_declared_window_that_is_long_for_the_history_is_split_without_an_embargo() -> None:
    rows = matured(list(range(200)), 300)
    split = split_applications(replace(rows, roles=ROLES), SplitSettings(folds=3))
    assert split.advice is not None
    assert "of 140 applications before the cutoff 2024-05-20 are left for development" in split.advice
    assert split.advice.endswith("; split without an embargo")
    assert split.description.endswith("without an embargo")
    assert (len(split.development), len(split.test)) == (140, 60)
    with pytest.raises(DataError, match="are left for development"):  # declared outcome dates are kept to
        split_applications(rows, SplitSettings(folds=3))


def test_the_blocks_of_an_average_are_the_held_out_parts_without_times_and_periods_with_them() -> None:
    split = split_applications(applications(None, ALTERNATING), SplitSettings(folds=4))
    assert [set(split.blocks[fold.held_out]) for fold in split.folds] == [{0}, {1}, {2}, {3}]
    given_rows = applications(np.random.default_rng(0).permutation(200).tolist(), ALTERNATING)
    split = split_applications(given_rows, SplitSettings(folds=4))
    assert given_rows.times is not None
    times = given_rows.times[split.development]
    assert np.bincount(split.blocks).tolist() == pytest.approx([len(times) / 4] * 4, abs=1)
    assert all(times[split.blocks == block].max() < times[split.blocks == block + 1].min() for block in range(3))


def test_applications_of_one_customer_are_in_one_block() -> None:
    days = np.random.default_rng(0).permutation(200).tolist()
    shared = replace(applications(days, ALTERNATING), groups=np.array([f"C{row // 3}" for row in range(200)], object))
    split = split_applications(shared, SplitSettings(folds=4))
    customers = np.arange(200)[split.development] // 3
    assert all(len(set(split.blocks[customers == customer])) == 1 for customer in customers)
