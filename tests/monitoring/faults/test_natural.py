"""People who change are no fault of data, however far they move."""

import numpy as np
import pandas as pd
import pytest

from monitoring.faults.observed import Observed
from monitoring.faults.search import find_faults
from pipelines.credit.population import Population
from pipelines.profiles.development_profile import profile_of
from tests.monitoring.faults.natural import draw_world


@pytest.mark.parametrize("seed", range(12))
def test_seasons_and_shifts_of_mix_are_no_faults(seed: int) -> None:
    generator = np.random.default_rng([7, seed])
    world = draw_world(seed, int(np.exp(generator.uniform(np.log(100), np.log(5000)))), generator.choice([0, 0.4, 0.8]))
    for place, (window, features) in enumerate(zip(world.windows, world.features, strict=True)):
        for months in (world.months, {}):
            for sample in (features, pd.DataFrame()):
                assert find_faults(world.reference, window, sample, world.windows[:place], months=months) == []


@pytest.mark.parametrize("wider", [1.5, 1.8, 2.5])
def test_numbers_that_spread_wider_around_zero_are_no_second_unit(wider: float) -> None:
    generator = np.random.default_rng(3)
    before = pd.DataFrame({"balance": generator.normal(size=3000)})
    now = pd.DataFrame({"balance": wider * generator.normal(size=2000)})
    points = np.full(3000, 600)
    reference = profile_of(points, np.full(3000, 0.1), before, ["balance"], Population.applications)
    values = {"balance": now["balance"].to_numpy(), "points": np.full(2000, 600.0)}
    counts = {one.column: one.count(values[one.column]) for one in reference.bins}
    assert find_faults(reference, Observed("2026-10", 2000, counts), now) == []
