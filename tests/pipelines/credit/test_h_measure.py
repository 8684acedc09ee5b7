"""The H-measure against its definition, integrated numerically, and published figures of another implementation."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.spatial import ConvexHull
from scipy.stats import beta

from pipelines.credit.h_measure import h_measure_of, roc_hull
from pipelines.credit.tally import tally

Floats = NDArray[np.float64]
Outcomes = NDArray[np.int8]

scored = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8)), min_size=2, max_size=40).filter(
    lambda rows: 0 < sum(bad for bad, _ in rows) < len(rows)
)


def unpack(rows: list[tuple[int, int]]) -> tuple[Outcomes, Floats]:
    bad, score = np.array(rows).T
    return bad.astype(np.int8), score.astype(float)


def h_by_definition(bad: Outcomes, score: Floats) -> float:
    """Return Hand's H: for each cost every cut-off is tried, no hull; the costs are integrated numerically."""
    rate = float(bad.mean())
    prior = beta(2, 1 + (1 - rate) / rate)
    cuts = [np.inf, *np.unique(score)]
    flagged_good = np.array([np.mean((score >= cut) & (bad == 0)) for cut in cuts])
    missed_bad = np.array([np.mean((score < cut) & (bad == 1)) for cut in cuts])

    def loss(c: float) -> float:
        return float((c * flagged_good + (1 - c) * missed_bad).min() * prior.pdf(c))

    def trivial(c: float) -> float:
        return float(min(c * (1 - rate), (1 - c) * rate) * prior.pdf(c))

    corners = {0.0, rate, 1.0}
    for i in range(len(cuts)):  # between the costs at which two cut-offs are equally good the loss is smooth
        for j in range(i):
            up, down = missed_bad[j] - missed_bad[i], flagged_good[i] - flagged_good[j]
            if up + down > 0:
                corners.add(float(up / (up + down)))
    edges = sorted(corners)
    sums = [sum(quad(f, *ends, epsabs=1e-13)[0] for ends in pairwise(edges)) for f in (loss, trivial)]
    return float(1 - sums[0] / sums[1])


def test_the_h_measure_agrees_with_its_definition_ties_included() -> None:
    generator = np.random.default_rng(0)
    for rows, step, rate in ((20, 1, 0.5), (40, 1, 0.1), (60, 2, 0.3), (30, 4, 0.7)):
        bad = np.r_[1, 0, generator.random(rows - 2) < rate].astype(np.int8)
        score = np.round(generator.normal(size=rows) + bad, 2 if step == 1 else 0)
        assert h_measure_of(tally(bad, score)) == pytest.approx(h_by_definition(bad, score), abs=1e-9)


def test_the_h_measure_agrees_with_a_published_figure() -> None:
    # The example of the Python package hmeasure 0.1.6, checked by its author against the R package of Anagnostopoulos
    # and Hand (pypi.org/project/hmeasure): ten outcomes and scores from one generator.
    generator = np.random.default_rng(66)
    bad = generator.integers(low=0, high=2, size=10).astype(np.int8)
    assert h_measure_of(tally(bad, generator.random(10))) == pytest.approx(0.18889596344769588, abs=1e-12)


def test_the_h_measure_by_hand() -> None:
    # given: as many good as bad, so c is Beta(2, 2); above c = 1/2 flagging the worst is best, below it the worst three
    bad, score = np.array([0, 0, 1, 1], dtype=np.int8), np.array([0.1, 0.4, 0.35, 0.8])
    # then: one error of two remains at every cost, where approving all or none makes two
    assert h_measure_of(tally(bad, score)) == pytest.approx(0.5, abs=1e-12)


@given(scored)
def test_the_hull_agrees_with_qhull(rows: list[tuple[int, int]]) -> None:
    bad, score = unpack(rows)
    goods, bads = roc_hull(tally(bad, score))
    cuts = np.unique(score)
    curve = np.array([[0, 0], *([((bad == 0) & (score >= c)).sum(), (bad * (score >= c)).sum()] for c in cuts)])
    lowest = np.array([[len(bad), 0.0]])  # so that the lower side of the hull is not of the curve
    hull = ConvexHull(np.vstack([curve, lowest * [1, 1]]))
    theirs = {tuple(hull.points[one]) for one in hull.vertices} - {(float(len(bad)), 0.0)}
    assert {(float(g), float(b)) for g, b in zip(goods, bads, strict=True)} == theirs | {(0.0, 0.0)}


@given(scored)
def test_only_the_order_matters_and_nothing_is_below_zero(rows: list[tuple[int, int]]) -> None:
    bad, score = unpack(rows)
    found = h_measure_of(tally(bad, score))
    assert 0 <= found <= 1
    assert h_measure_of(tally(bad, np.exp(score) * 3 - 7)) == pytest.approx(found, abs=1e-12)
    shuffled = np.random.default_rng(1).permutation(len(bad))
    assert h_measure_of(tally(bad[shuffled], score[shuffled])) == pytest.approx(found, abs=1e-12)


def test_perfect_separation_is_one_and_none_is_zero() -> None:
    bad = np.array([0, 0, 0, 1, 1], dtype=np.int8)
    assert h_measure_of(tally(bad, np.arange(5.0))) == pytest.approx(1)
    assert h_measure_of(tally(bad, np.zeros(5))) == 0
    assert h_measure_of(tally(bad, -np.arange(5.0))) == 0
