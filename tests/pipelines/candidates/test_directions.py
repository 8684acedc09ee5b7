"""Every family keeps to declared directions against the data, wherever a feature moves and whatever the others are."""

from dataclasses import replace

import catboost
import numpy as np
import pytest

from pipelines.candidates.families.blend import BlendParameters, BlendPart, BlendSettings
from pipelines.candidates.families.catboost import CatBoostParameters, CatBoostSettings
from pipelines.candidates.monotonicity import TOLERANCE, check_directions
from pipelines.candidates.registry import candidate_of
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CandidateSettings
from tests.pipelines.candidates.test_conformance import FAMILIES, OWN_FAMILIES, settings_of

ROWS, MOVED = 2000, 60
SEEDS = range(3)
AGAINST = {"income": -1, "tenure": 1, "term": -1}
"""Directions against what the rows show."""


PARTS = [
    BlendPart("scorecard", weight=0.25, average=False),
    BlendPart("hist_gradient_boosting", {"max_iter": 20}, weight=0.35),
    BlendPart("catboost", {"iterations": 20, "learning_rate": 0.3}, weight=0.4),
]
SETTINGS: dict[str, CandidateSettings] = {
    "blend": BlendSettings(parameters=BlendParameters(PARTS)),
    "catboost": CatBoostSettings(parameters=CatBoostParameters(iterations=20, learning_rate=0.3)),
}
"""CatBoost learns fast enough that few trees show what levels do in pairs."""


def a_sample(seed: int) -> Sample:
    """Return rows whose risk rises and falls with their numbers, differently for each pair of levels."""
    generator = np.random.default_rng(seed)
    income, tenure = generator.lognormal(size=ROWS), generator.normal(size=ROWS)
    term = generator.choice([3.0, 6.0, 12.0, 24.0], ROWS)
    city, channel = generator.integers(0, 60, ROWS), generator.integers(0, 3, ROWS)
    pair = np.where((city + channel) % 2, 1.0, -0.3)
    risk = pair * (np.log(income) + np.sin(4 * income)) - tenure * (channel - 0.5) + term / 12 * pair + city / 60
    bad = (generator.random(ROWS) < 1 / (1 + np.exp(-2 * risk))).astype(np.int8)
    income[generator.random(ROWS) < 0.1] = np.nan
    columns = {"income": income, "tenure": tenure, "term": term}
    columns |= {"city": np.array([f"city {one}" for one in city], dtype=object)}
    columns |= {"channel": np.array(["app", "web", None], dtype=object)[channel]}
    return Sample(
        columns,
        bad,
        ("income", "tenure", "term"),
        ("city", "channel"),
        directions=AGAINST,
        blocks=np.arange(ROWS) % 3,
    )


def largest_moves_against(family: str, sample: Sample, seed: int) -> list[float]:
    """Return the largest move against each of the directions of a model of the sample."""
    scorer = candidate_of(SETTINGS.get(family) or settings_of(family)).fit(sample, seed=seed, threads=1)
    checks = check_directions(scorer.log_odds, replace(sample, directions=AGAINST), rows=MOVED)
    return [check.largest for check in checks]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("family", OWN_FAMILIES)
def test_the_score_moves_in_the_declared_directions_alone(family: str, seed: int) -> None:
    assert max(largest_moves_against(family, a_sample(seed), seed)) <= TOLERANCE


@pytest.mark.parametrize("family", ["catboost", "blend"])
def test_target_statistics_of_combined_levels_would_break_the_constraints_of_catboost(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = catboost.CatBoost
    monkeypatch.setattr(catboost, "CatBoost", lambda options: fitted(options | {"max_ctr_complexity": 2}))
    assert max(largest_moves_against(family, a_sample(0), 0)) > 0.01


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_rows_without_directions_move_it_against_them(family: str) -> None:
    assert min(largest_moves_against(family, replace(a_sample(0), directions={}), 0)) > 0.01


def test_a_family_of_another_package_that_does_not_support_directions_is_found_out() -> None:
    assert min(largest_moves_against("naive_bayes", a_sample(0), 0)) > 0.01
