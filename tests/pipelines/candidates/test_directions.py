"""A declared direction is kept by every family, wherever the feature moves and whatever the others are."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.candidates.registry import candidate_of
from pipelines.candidates.sample import Sample
from tests.pipelines.candidates.test_conformance import OWN_FAMILIES, settings_of

ROWS, STEPS = 3000, 40


def a_sample(seed: int) -> Sample:
    """Return rows whose risk falls and rises with income and tenure, differently in each of many cities."""
    generator = np.random.default_rng(seed)
    income, tenure = generator.normal(size=ROWS), generator.normal(size=ROWS)
    city = generator.integers(0, 60, ROWS)
    risk = np.sin(2 * income + city / 10) + np.cos(2 * tenure) * (city % 2) + city / 60
    bad = (generator.random(ROWS) < 1 / (1 + np.exp(-2 * risk))).astype(np.int8)
    income[generator.random(ROWS) < 0.05] = np.nan
    columns = {"income": income, "tenure": tenure, "city": np.array([f"city {one}" for one in city], dtype=object)}
    return Sample(columns, bad, ("income", "tenure"), ("city",))


def steps(sample: Sample, family: str, feature: str) -> np.ndarray:
    """Return the steps of the log-odds of 200 rows as a feature moves over its range."""
    scorer = candidate_of(settings_of(family)).fit(sample, seed=0, threads=1)
    some = sample.take(np.arange(200)).columns
    grid = np.linspace(-3, 3, STEPS)
    moved = {name: np.tile(values, STEPS) for name, values in some.items()} | {feature: np.repeat(grid, 200)}
    return np.diff(scorer.log_odds(moved).reshape(STEPS, 200), axis=0)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("family", OWN_FAMILIES)
def test_the_score_moves_in_the_declared_direction(family: str, seed: int) -> None:
    sample = a_sample(seed)
    assert steps(sample, family, "income").min() < -0.01 < 0.01 < steps(sample, family, "income").max()
    declared = replace(sample, directions={"income": -1, "tenure": 1})
    assert steps(declared, family, "income").max() <= 1e-9
    assert steps(declared, family, "tenure").min() >= -1e-9
