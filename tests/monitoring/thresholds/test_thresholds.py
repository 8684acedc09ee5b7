"""When a move is an alarm: floors, noise, season, persistence, and cells that are too small to tell."""

from dataclasses import replace

import numpy as np
import pytest

from monitoring.thresholds.settings import ThresholdSettings
from monitoring.thresholds.thresholds import EVERYONE, Cell, Judgement, Level, judge
from pipelines.errors import DataError

RULES = ThresholdSettings()
SHARE = np.array([0.05, 0.15, 0.2, 0.3, 0.2, 0.1])
MOVED = np.array([0.15, 0.25, 0.2, 0.2, 0.15, 0.05])
SCORE = Cell("points")


def months(share: np.ndarray, rows: int, periods: int = 12, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).multinomial(rows, share, periods)


def exactly(share: np.ndarray, rows: int) -> np.ndarray:
    return np.round(share * rows).astype(np.int64)


def one(reference: np.ndarray, current: np.ndarray, **told: object) -> Judgement:
    return judge({SCORE: reference}, {SCORE: current}, RULES, **told)[0]  # type: ignore[arg-type]


def test_psi_is_the_one_worked_by_hand() -> None:
    # 0.1 ln 3 + 0.1 ln(5/3) + 0 - 0.1 ln(2/3) - 0.05 ln(3/4) - 0.05 ln(1/2) = 0.2505
    by_hand = 0.1 * np.log(3) + 0.1 * np.log(5 / 3) - 0.1 * np.log(2 / 3) - 0.05 * np.log(0.75) - 0.05 * np.log(0.5)
    found = one(np.tile(exactly(SHARE, 100_000), (12, 1)), exactly(MOVED, 100_000))
    assert found.psi == pytest.approx(by_hand, abs=1e-4)
    assert found.excess == pytest.approx(by_hand - 5 * (1 / 100_000 + 1 / 1_200_000), abs=1e-4)


def test_a_large_move_is_acted_on_and_the_same_month_again_is_quiet() -> None:
    reference = months(SHARE, 10_000)
    assert one(reference, exactly(np.array([0.3, 0.3, 0.2, 0.1, 0.05, 0.05]), 10_000)).level is Level.ACT
    assert one(reference, months(SHARE, 10_000, 1, seed=9)[0]).level is Level.QUIET


def test_a_move_beyond_noise_but_below_the_floor_is_quiet() -> None:
    # given a million rows: PSI 0.007 is no chance
    found = one(months(SHARE, 1_000_000), exactly(SHARE + np.array([0.02, 0, 0, 0, 0, -0.02]), 1_000_000))
    assert found.q_value is not None
    assert found.q_value < 1e-6
    assert found.level is Level.QUIET
    assert found.limit == pytest.approx(0.1, abs=0.001)


def test_a_move_above_the_floor_that_chance_explains_is_quiet() -> None:
    # given 100 rows: sampling alone leaves a PSI of 0.05 on average
    current = np.array([9, 22, 21, 23, 20, 5])
    found = one(months(SHARE, 100), current)
    assert found.psi > RULES.watch_psi
    assert found.level is Level.QUIET
    assert found.limit > found.psi


def test_a_cell_that_cannot_tell_is_too_small_and_not_counted() -> None:
    found = one(months(SHARE, 20), np.array([20, 0, 0, 0, 0, 0]))
    assert (found.level, found.chance, found.q_value) == (Level.TOO_SMALL, None, None)
    assert one(months(SHARE, 500), np.zeros(6, np.int64)).level is Level.TOO_SMALL


def test_the_limit_is_where_the_level_begins() -> None:
    reference = months(SHARE, 3000)
    for part in np.linspace(0, 1, 21):
        found = one(reference, exactly(SHARE + part * (MOVED - SHARE), 3000))
        assert (found.psi > found.limit) == (found.level in (Level.WATCH, Level.ACT))


def test_what_the_reference_s_own_months_do_is_no_alarm() -> None:
    # given months that swing between two shares as far as the new one does
    swing = np.concatenate([months(MOVED, 10_000, 6), months(SHARE, 10_000, 6)])
    found = one(swing, exactly(MOVED, 10_000))
    assert found.level is Level.QUIET
    assert found.furthest > 0.05


def test_a_move_that_was_there_a_year_ago_is_season() -> None:
    # given a December that lies apart each year, among months that hardly differ
    reference = np.concatenate([months(SHARE, 10_000, 11), exactly(MOVED, 10_000)[None]])
    moved_on = exactly(np.array([0.25, 0.3, 0.2, 0.15, 0.07, 0.03]), 10_000)
    assert one(reference, exactly(MOVED, 10_000), season=11).level is Level.QUIET
    assert one(reference, moved_on, season=11).season == pytest.approx(0.1, abs=0.05)
    assert one(months(SHARE, 10_000), moved_on, season=11).level is Level.ACT


def test_a_watch_that_lasts_is_acted_on() -> None:
    reference, current = months(SHARE, 10_000), exactly(0.25 * SHARE + 0.75 * MOVED, 10_000)
    first = one(reference, current)
    assert (first.level, first.lasting) == (Level.WATCH, 1)
    second = one(reference, current, earlier=[{SCORE: Level.WATCH}])
    assert (second.level, second.lasting) == (Level.ACT, 2)
    between = one(reference, current, earlier=[{SCORE: Level.WATCH}, {SCORE: Level.QUIET}])
    assert between.level is Level.WATCH
    patient = judge({SCORE: reference}, {SCORE: current}, replace(RULES, persist=3), earlier=[{SCORE: Level.WATCH}])
    assert patient[0].level is Level.WATCH


def test_one_period_of_reference_leaves_sampling_as_the_only_noise() -> None:
    found = one(months(SHARE, 5000, periods=1), exactly(MOVED, 5000))
    assert (found.level, found.periods, found.furthest) == (Level.WATCH, 1, 0)


@pytest.mark.parametrize("periods", [1, 12])
@pytest.mark.parametrize("season", [None, 0])
def test_a_column_of_two_bins_is_found_to_move(periods: int, season: int | None) -> None:
    # given (0.6 - 0.3) ln(0.6 / 0.3) + (0.4 - 0.7) ln(0.4 / 0.7) = 0.376
    found = one(months(np.array([0.3, 0.7]), 10_000, periods), np.array([6000, 4000]), season=season)
    assert found.psi == pytest.approx(0.376, abs=0.02)
    assert found.level is Level.ACT


def test_many_quiet_segments_do_not_hide_what_happens_to_everyone() -> None:
    # given one column that moves for everyone and 200 segments' cells that do not
    cells = [Cell("points", EVERYONE), *(Cell("points", str(number)) for number in range(200))]
    reference = {cell: months(SHARE, 1500, seed=place) for place, cell in enumerate(cells)}
    current = {cell: months(SHARE, 1500, 1, seed=1000 + place)[0] for place, cell in enumerate(cells)}
    current[cells[0]] = exactly(MOVED, 1500)
    found = judge(reference, current, RULES)
    assert found[0].level in (Level.WATCH, Level.ACT)
    assert {one.level for one in found[1:]} == {Level.QUIET}


def test_bins_of_different_columns_do_not_meet() -> None:
    # given a column of two bins beside one of six, judged together and each by itself
    two = Cell("has order")
    reference = {SCORE: months(SHARE, 2000), two: months(np.array([0.4, 0.6]), 2000)}
    current = {SCORE: exactly(SHARE, 2000), two: np.array([1100, 900])}
    together = judge(reference, current, RULES)
    alone = [judge({cell: reference[cell]}, {cell: current[cell]}, RULES)[0] for cell in (SCORE, two)]
    assert [found.psi for found in together] == [found.psi for found in alone]
    assert [found.chance for found in together] == pytest.approx([found.chance for found in alone])


def test_other_bins_than_the_reference_s_are_refused() -> None:
    with pytest.raises(DataError, match=r"points of all has 5 bins and a reference of shape \(12, 6\)"):
        one(months(SHARE, 100), np.zeros(5, np.int64))
    with pytest.raises(DataError, match="and no reference"):
        judge({}, {SCORE: exactly(SHARE, 100)}, RULES)
