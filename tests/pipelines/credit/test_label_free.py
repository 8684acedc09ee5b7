"""Estimates without labels: by hand, by draws, and their coverage of what then comes."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest, ks_2samp

from pipelines.credit.calibration import brier
from pipelines.credit.discrimination import auc, kolmogorov_smirnov_of
from pipelines.credit.importance import Recalibration, recalibrate
from pipelines.credit.label_free import CANNOT_SEE, label_free_performance
from pipelines.credit.recalibration import log_odds_of
from pipelines.credit.tally import tally


def test_brier_and_bad_rate_by_enumeration() -> None:
    p = np.array([0.1, 0.4, 0.4, 0.7, 0.95])
    outcomes = np.array(list(product([0, 1], repeat=5)))
    weight = np.where(outcomes == 1, p, 1 - p).prod(axis=1)
    found = label_free_performance(p, confidence=0.95)
    for estimate, realised in ((found.brier, ((outcomes - p) ** 2).mean(axis=1)), (found.bad_rate, outcomes.mean(1))):
        mean = weight @ realised
        spread = 1.959964 * np.sqrt(weight @ (realised - mean) ** 2)
        assert estimate.value == pytest.approx(mean)
        assert (estimate.low, estimate.high) == pytest.approx((max(mean - spread, 0), min(mean + spread, 1)), abs=1e-6)
    assert found.gini.value == pytest.approx(2 * found.auc.value - 1)
    assert found.cannot_see == CANNOT_SEE
    assert any("P(bad | features)" in one for one in CANNOT_SEE)


def test_ks_by_enumeration() -> None:
    generator = np.random.default_rng(0)
    p = generator.uniform(0.1, 0.9, 10)
    outcomes = np.array(list(product([0, 1], repeat=10)), dtype=np.int8)[1:-1]
    weight = np.where(outcomes == 1, p, 1 - p).prod(axis=1)
    realised = [ks_2samp(p[one == 1], p[one == 0], method="asymp").statistic for one in outcomes]
    found = label_free_performance(p, confidence=0.95, draws=6_000).ks
    assert found.value == pytest.approx(weight @ realised / weight.sum(), abs=0.01)


def test_what_comes_is_covered_at_the_stated_rate() -> None:
    # given right PDs of 400 books
    generator = np.random.default_rng(7)
    measures = {
        "auc": auc,
        "ks": lambda bad, p: kolmogorov_smirnov_of(tally(bad, p)),
        "brier": brier,
        "bad_rate": lambda bad, _: float(bad.mean()),
    }
    inside = dict.fromkeys(measures, 0)
    for _ in range(250):
        p = generator.beta(1, 9, 300)
        found = label_free_performance(p, confidence=0.9, draws=100, seed=int(generator.integers(1 << 30)))
        bad = (generator.random(300) < p).astype(np.int8)
        for name, measure in measures.items():
            inside[name] += getattr(found, name).holds(measure(bad, p))
    # then each interval holds nine in ten
    for name, covered in inside.items():
        assert binomtest(covered, 250, 0.9).pvalue > 0.001, (name, covered)


def test_uncertain_calibration_is_part_of_the_interval() -> None:
    # given a calibration learnt from 400 outcomes, and a larger present book
    generator = np.random.default_rng(3)
    present = generator.beta(1, 9, 3_000)
    inside, narrow = 0, 0
    for _ in range(150):
        earlier = generator.beta(1, 9, 400)
        calibration = recalibrate((generator.random(400) < earlier).astype(np.int8), earlier)
        found = label_free_performance(present, confidence=0.9, recalibration=calibration, draws=1)
        rate = float((generator.random(3_000) < present).mean())
        inside += found.bad_rate.holds(rate)
        narrow += label_free_performance(calibration.apply(present), confidence=0.9, draws=1).bad_rate.holds(rate)
    assert binomtest(inside, 150, 0.9).pvalue > 0.001
    assert narrow < 75  # outcomes alone would explain far too little


def test_weights_bring_the_calibration_to_where_the_applications_are() -> None:
    # given PDs that are right for one kind and half of the odds for another, which becomes the common one
    generator = np.random.default_rng(5)
    kind = generator.random(40_000) < 0.2
    pd = generator.beta(2, 18, 40_000)
    true = 1 / (1 + np.exp(-(log_odds_of(pd) + np.log(2) * kind)))
    bad = (generator.random(40_000) < true).astype(np.int8)
    now = generator.random(40_000) < 0.8
    pd_now = generator.beta(2, 18, 40_000)
    true_now = 1 / (1 + np.exp(-(log_odds_of(pd_now) + np.log(2) * now)))
    # when
    found = recalibrate(bad, pd, np.where(kind, 0.8 / 0.2, 0.2 / 0.8))
    # then
    assert found.apply(pd_now).mean() == pytest.approx(true_now.mean(), rel=0.03)
    assert pd_now.mean() < 0.7 * true_now.mean()
    assert found.rows < 40_000


def test_the_covariance_is_that_of_repeated_fits() -> None:
    generator = np.random.default_rng(6)
    pd, weight = generator.beta(1, 6, 3_000), generator.uniform(0.2, 3, 3_000)
    fits = [recalibrate((generator.random(3_000) < pd).astype(np.int8), pd, weight) for _ in range(400)]
    spread = np.cov(np.array([(one.intercept, one.slope) for one in fits]).T)
    told = np.mean([one.covariance for one in fits], axis=0)
    assert np.sqrt(np.diag(told)) == pytest.approx(np.sqrt(np.diag(spread)), rel=0.12)


@pytest.mark.parametrize("wrong", [[], [0.2, 1.2], [np.nan]])
def test_what_is_no_probability_is_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        label_free_performance(np.array(wrong), confidence=0.95)


def test_outcomes_of_one_kind_calibrate_nothing() -> None:
    with pytest.raises(ValueError, match="good and bad"):
        recalibrate(np.zeros(3, np.int8), np.array([0.1, 0.2, 0.3]))


def test_a_perfect_calibration_changes_nothing() -> None:
    exact = Recalibration(0.0, 1.0, ((0.0, 0.0), (0.0, 0.0)), 1.0)
    p = np.array([0.1, 0.3, 0.8])
    plain, same = (label_free_performance(p, confidence=0.9, recalibration=one) for one in (None, exact))
    assert same.auc.value == pytest.approx(plain.auc.value)
    assert same.bad_rate.high == pytest.approx(plain.bad_rate.high)
