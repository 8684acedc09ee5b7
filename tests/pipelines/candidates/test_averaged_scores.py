"""The PDs of an average are right on fresh rows, although its models have seen every row that its map is fitted on."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from pipelines.applications.splits import Fold
from pipelines.candidates.blocks import random_blocks
from pipelines.candidates.calibration_map import fit_calibration
from pipelines.candidates.families.blend import Blend, BlendCandidate, BlendParameters, BlendPart
from pipelines.candidates.portable_model import calibrate
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CalibrationMethod
from pipelines.candidates.training import held_out_log_odds, train

Floats = NDArray[np.float64]

ROWS, FOLDS, FEATURES = 1200, 5, 6
SEEDS = range(8)
METHOD = CalibrationMethod.logistic
NOISY = {"max_iter": 15, "learning_rate": 0.4, "max_features": 0.5}
CANDIDATE = BlendCandidate(BlendParameters([BlendPart("hist_gradient_boosting", NOISY)]))
"""Trees with much noise, which averaging takes away."""


def market(rows: int, generator: np.random.Generator) -> tuple[Sample, Floats]:
    """Return applications with the PDs that their outcomes were drawn from."""
    x = generator.normal(size=(rows, FEATURES))
    log_odds = -1.5 + 0.7 * x[:, 0] + 0.5 * np.maximum(x[:, 1], 0) + 0.5 * x[:, 2] * x[:, 3]
    pd_true = 1 / (1 + np.exp(-log_odds))
    table = pd.DataFrame({f"x{number}": column for number, column in enumerate(x.T)})
    return Sample.of(table, (generator.random(rows) < pd_true).astype(np.int8), list(table), []), pd_true


def in_folds(sample: Sample, seed: int) -> tuple[Sample, list[Fold]]:
    """Return the sample with blocks, and the folds that hold them out."""
    blocks = random_blocks(sample.bad, seed)
    folds = [Fold(np.flatnonzero(blocks != fold), np.flatnonzero(blocks == fold)) for fold in range(FOLDS)]
    return replace(sample, blocks=blocks), folds


def logit(probability: Floats) -> Floats:
    return np.asarray(np.log(probability / (1 - probability)))


def slope(log_odds: Floats, pd_true: Floats) -> float:
    """Return the slope of the true PDs on log-odds: 1 is right, above 1 they are too flat."""
    twice, outcomes = np.concatenate([log_odds, log_odds])[:, None], np.repeat([1, 0], len(log_odds))
    fitted = LogisticRegression(C=np.inf).fit(twice, outcomes, np.concatenate([pd_true, 1 - pd_true]))
    return float(fitted.coef_[0, 0])


@dataclass(frozen=True)
class Figures:
    """Slopes on fresh rows, predicted over true bads, and how much steeper an average is than its models."""

    slope: float
    slope_without_correction: float
    predicted_to_true: float
    ratio: float
    true_ratio: float


def figures_of(seed: int) -> Figures:
    generator = np.random.default_rng(seed)
    sample, folds = in_folds(market(ROWS, generator)[0], seed)
    single = held_out_log_odds(CANDIDATE, sample, folds, seed=0, threads=1)
    model = train(CANDIDATE, sample, folds, METHOD, seed=0, threads=1, held_out=single).model
    fresh, pd_true = market(4000, generator)
    log_odds, probability = model.predict(fresh.columns)
    outcomes = np.concatenate([sample.bad[fold.held_out] for fold in folds])
    without = fit_calibration(np.concatenate(single), outcomes, METHOD)
    assert isinstance(model.scorer, Blend)
    of_members = np.mean([slope(one, pd_true) for one in model.scorer.member_log_odds(fresh.columns)])
    return Figures(
        slope(logit(probability), pd_true),
        slope(logit(calibrate(log_odds, without)), pd_true),
        float(probability.mean() / pd_true.mean()),
        model.card["calibration"]["slope"] / without["slope"],
        slope(log_odds, pd_true) / float(of_members),
    )


@pytest.fixture(scope="module")
def figures() -> list[Figures]:
    return [figures_of(seed) for seed in SEEDS]


def is_one(values: list[float]) -> bool:
    """Return whether 1 is in the 99% interval of the mean."""
    return bool(abs(np.mean(values) - 1) < 2.6 * np.std(values, ddof=1) / np.sqrt(len(values)))


def test_the_slope_on_fresh_rows_is_one(figures: list[Figures]) -> None:
    assert is_one([one.slope for one in figures])


def test_the_map_of_single_models_would_be_too_flat(figures: list[Figures]) -> None:
    assert np.mean([one.slope_without_correction for one in figures]) > 1.15
    distance, without = (
        np.mean([abs(getattr(one, name) - 1) for one in figures]) for name in ("slope", "slope_without_correction")
    )
    assert distance < without


def test_how_much_steeper_an_average_is_than_its_models_is_measured(figures: list[Figures]) -> None:
    assert np.mean([one.ratio / one.true_ratio for one in figures]) == pytest.approx(1, abs=0.03)
    assert np.mean([one.true_ratio for one in figures]) > 1.15


def test_as_many_bads_are_expected_as_there_are(figures: list[Figures]) -> None:
    assert is_one([one.predicted_to_true for one in figures])


def test_known_held_out_scores_give_the_same_map_as_fitting_them_again() -> None:
    sample, folds = in_folds(market(400, np.random.default_rng(0))[0], 0)
    single = held_out_log_odds(CANDIDATE, sample, folds, seed=0, threads=1)
    known, fitted = (
        train(CANDIDATE, sample, folds, METHOD, seed=0, threads=1, held_out=held_out).model.card["calibration"]
        for held_out in (single, None)
    )
    assert known == fitted


def test_without_a_calibration_map_the_log_odds_are_those_of_the_average() -> None:
    sample, folds = in_folds(market(400, np.random.default_rng(0))[0], 0)
    model = train(CANDIDATE, sample, folds, CalibrationMethod.none, seed=0, threads=1).model
    log_odds, probability = model.predict(sample.columns)
    np.testing.assert_allclose(logit(probability), log_odds)
