"""People who change are no fault of data, however far they move."""

import numpy as np
import pandas as pd
import pytest

from monitoring.faults.finding import find_faults
from tests.monitoring.faults.natural import draw_world


@pytest.mark.parametrize("seed", range(12))
def test_seasons_and_shifts_of_mix_are_no_faults(seed: int) -> None:
    generator = np.random.default_rng([7, seed])
    world = draw_world(seed, int(np.exp(generator.uniform(np.log(100), np.log(5000)))), generator.choice([0, 0.4, 0.8]))
    for place, (window, features) in enumerate(zip(world.windows, world.features, strict=True)):
        for months in (world.months, {}):
            for sample in (features, pd.DataFrame()):
                assert find_faults(world.reference, window, sample, world.windows[:place], months=months) == []
