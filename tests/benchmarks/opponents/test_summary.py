"""Tables and the picture of recorded searches."""

from pathlib import Path

import pytest

from tests.benchmarks.opponents.data_sets import GERMAN, MARKETPLACE
from tests.benchmarks.opponents.measured import Measured
from tests.benchmarks.opponents.picture import draw, points_of
from tests.benchmarks.opponents.plan import Series
from tests.benchmarks.opponents.split_effects import SplitEffects
from tests.benchmarks.opponents.summary import is_nowhere_below, lines_of, overall, table_of

AUC = {"Thinfile": [0.80, 0.82, 0.84], "FLAML": [0.79, 0.80, 0.81], "AutoGluon": [0.90, 0.93, 0.93]}


def recorded(name: str, system: str, auc: list[float], seconds: int = 60) -> list[Measured]:
    return [
        Measured(name, seed, seconds, system, "c", value, 61.0, 99.0, 0.0, 0.0, 0.5, f"part {seed}", "2026-11-30")
        for seed, value in enumerate(auc)
    ]


SERIES = Series(GERMAN, range(3), 60)
MEASURED = [one for system, auc in AUC.items() for one in recorded("german", system, auc)]


def test_a_line_compares_the_same_splits() -> None:
    ours, flaml, autogluon = lines_of(SERIES, MEASURED, "Thinfile")
    assert (ours.system, ours.auc, ours.comparison) == ("Thinfile", pytest.approx(0.82), None)
    assert flaml.comparison is not None
    assert flaml.comparison.mean == pytest.approx(0.02)
    assert flaml.comparison.below == pytest.approx(0.92008, abs=1e-5)  # worked by hand in test_t_test.py
    assert autogluon.comparison is not None
    assert autogluon.comparison.below < 0.01
    assert is_nowhere_below([ours, flaml])
    assert not is_nowhere_below([ours, autogluon])
    assert overall([ours, flaml]) == {"Thinfile": pytest.approx(0.82), "FLAML": pytest.approx(0.80)}


def test_markets_share_no_rows() -> None:
    measured = [one for system, auc in AUC.items() for one in recorded("marketplace", system, auc)]
    _, flaml, _ = lines_of(Series(MARKETPLACE, range(3), 60), measured, "Thinfile")
    assert flaml.comparison is not None
    assert flaml.comparison.below > 0.95


def test_a_search_counts_on_the_splits_that_it_and_thinfile_have() -> None:
    measured = [*recorded("german", "Thinfile", [0.8, 0.8]), *recorded("german", "FLAML", [0.7, 0.9, 0.9])]
    _, flaml = lines_of(SERIES, measured, "Thinfile")
    assert (flaml.seeds, flaml.auc) == ((0, 1), pytest.approx(0.8))


def test_the_table_is_markdown() -> None:
    head, rule, *rows = table_of(lines_of(SERIES, MEASURED, "Thinfile")).splitlines()
    assert {line.count("|") for line in (head, rule, *rows)} == {9}
    assert rows[1].startswith("| German credit (3) | 60 s | FLAML | 0.8000 | +0.0200 | ")


def test_what_splits_differ_in_is_not_what_searches_differ_in() -> None:
    table = {("a", 0): 0.7, ("a", 1): 0.8, ("b", 0): 0.72, ("b", 1): 0.82, ("c", 0): 0.5}
    effects = SplitEffects.of(table, shared=0.25)
    assert effects.effects == {0: pytest.approx(-0.05), 1: pytest.approx(0.05)}
    assert effects.deviation == pytest.approx(0, abs=1e-9)
    assert effects.mean({0: 0.7}) == pytest.approx(0.75)


def test_the_interval_of_an_additive_model() -> None:
    # Residuals +0.01, -0.01, -0.01, +0.01 with 1 degree of freedom: deviation 0.02, 97.5% point of t 12.7062.
    effects = SplitEffects.of({("a", 0): 0.71, ("a", 1): 0.79, ("b", 0): 0.71, ("b", 1): 0.83}, shared=0.25)
    assert effects.reach(2) == pytest.approx(12.7062 * 0.02 * 0.75**0.5, rel=1e-4)


def test_the_picture_has_a_point_for_each_search_and_time(tmp_path: Path) -> None:
    measured = [*MEASURED, *recorded("german", "Thinfile", [0.81], seconds=20)]
    points = points_of(SERIES, measured)
    assert [(one.system, round(one.auc, 4)) for one in points] == [
        ("Thinfile", 0.82), ("FLAML", 0.8), ("AutoGluon", 0.92), ("Thinfile", 0.8267),
    ]  # fmt: skip
    draw([SERIES, Series(MARKETPLACE, range(3), 60)], measured, tmp_path / "search.svg")
    assert (tmp_path / "search.svg").stat().st_size > 5000
