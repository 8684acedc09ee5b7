"""A tally and its resamples: nothing is lost, and measures on it are those of the rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.credit import resampling
from pipelines.credit.discrimination import auc, auc_of, kolmogorov_smirnov_of
from pipelines.credit.resampling import (
    interval_of_upward_biased,
    percentile_interval,
    redraw,
    redraw_as_predicted,
    redraw_without_separation,
)
from pipelines.credit.tally import Tally, tally


def scored(rows: int, seed: int = 0) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    generator = np.random.default_rng(seed)
    probability = generator.beta(1, 6, rows)
    return (generator.random(rows) < probability).astype(np.int8), probability


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=1), st.integers(1, 8))
def test_merging_keeps_every_application_and_the_order(rows: list[tuple[int, int]], most: int) -> None:
    bad, score = np.array(rows).T
    counts = tally(bad.astype(np.int8), score.astype(float))
    merged = counts.merged(most)
    assert len(merged.score) <= max(most, 1)
    assert (merged.good.sum(), merged.bad.sum()) == (counts.good.sum(), counts.bad.sum())
    assert merged.rows @ merged.score == pytest.approx(counts.rows @ counts.score)
    assert (np.diff(merged.score) > 0).all()


def test_merging_moves_a_measure_by_less_than_its_standard_error() -> None:
    bad, score = scored(60_000)
    counts = tally(bad, score)
    for measure in (auc_of, kolmogorov_smirnov_of):
        assert measure(counts.merged(2000)) == pytest.approx(measure(counts), abs=5e-4)


@pytest.mark.parametrize("few", [0, 10_000], ids=["counts drawn at once", "rows drawn one by one"])
def test_resamples_vary_as_the_rows_would(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "FEW", few)
    bad, score = scored(400)
    counts, generator = tally(bad, score), np.random.default_rng(1)
    ours = [auc_of(redraw(counts, generator)) for _ in range(400)]
    theirs = [auc(bad[rows], score[rows]) for rows in generator.integers(0, 400, (400, 400))]
    assert np.mean(ours) == pytest.approx(np.mean(theirs), abs=0.006)
    assert np.std(ours) == pytest.approx(np.std(theirs), rel=0.15)


def test_draws_by_chance_keep_the_scores_and_forget_the_outcomes() -> None:
    bad, score = scored(3000)
    counts, generator = tally(bad, score), np.random.default_rng(2)
    blind = [redraw_without_separation(counts, generator) for _ in range(50)]
    assert {one.bad.sum() for one in blind} == {counts.bad.sum()}
    assert np.mean([auc_of(one) for one in blind]) == pytest.approx(0.5, abs=0.01)
    predicted = np.mean([redraw_as_predicted(counts, generator).bad.sum() for _ in range(50)])
    assert predicted == pytest.approx(score.sum(), rel=0.02)


def test_a_resample_always_has_both_outcomes() -> None:
    counts, generator = (
        Tally(np.array([0.1, 0.2]), np.array([9.0, 0.0]), np.array([0.0, 1.0])),
        np.random.default_rng(0),
    )
    assert all(redraw(counts, generator).bad.sum() > 0 for _ in range(50))


def test_percentiles_are_widened_to_the_value() -> None:
    draws = np.linspace(-1, 1, 1001)
    assert percentile_interval(0.0, draws, 0.95) == pytest.approx((-0.95, 0.95), abs=1e-9)
    assert percentile_interval(1.5, draws, 0.95) == pytest.approx((-0.95, 1.5), abs=1e-9)


@given(st.floats(0, 1), st.lists(st.floats(0, 1), min_size=2), st.lists(st.floats(0, 1), min_size=2))
def test_the_interval_of_an_upward_biased_measure_always_holds_its_value(
    value: float, draws: list[float], by_chance: list[float]
) -> None:
    low, high = interval_of_upward_biased(value, draws, by_chance, 0.95)
    assert 0 <= low <= value <= high <= 1
