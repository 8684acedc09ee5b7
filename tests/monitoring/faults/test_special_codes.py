"""Special codes of a column are neither missing values nor amounts to the fault finders."""

import numpy as np
import pandas as pd
import pytest

from monitoring.faults.column_gone import COLUMN_GONE
from monitoring.faults.constant_column import CONSTANT
from monitoring.faults.missing_risen import MISSING_RISEN
from monitoring.faults.observed import Observed
from monitoring.faults.search import find_faults
from pipelines.credit.population import Population
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import SCORE
from pipelines.reading.special import code_column, split_codes

ROWS = 3000


def draw(seed: int, coded: float = 0.2, missing: float = 0.01, rows: int = ROWS) -> pd.DataFrame:
    """Return a column that is missing in a share of the rows and has a code in a share of the others; and its codes."""
    generator = np.random.default_rng(seed)
    values = np.where(generator.random(rows) < coded, -9.0, generator.normal(600, 80, rows))
    amounts, levels = split_codes(np.where(generator.random(rows) < missing, np.nan, values), ["-9"])
    return pd.DataFrame({"bureau": amounts, code_column("bureau"): levels})


def kinds(seed: int, **changed: float) -> set[tuple[str, str | None]]:
    before, now = draw(100 + seed), draw(seed, **changed)
    points = np.random.default_rng(0).integers(400, 800, ROWS)
    reference = profile_of(points, points / 1000, before, ["bureau"], Population.applications)
    values = {str(name): now[name].to_numpy() for name in now} | {SCORE: points.astype(float)}
    window = Observed("2026-10", ROWS, {one.column: one.count(values[one.column]) for one in reference.bins})
    return {(one.kind, one.column) for one in find_faults(reference, window, now)}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("coded", [0.05, 0.2, 0.6, 0.9])
def test_more_or_fewer_codes_are_no_missing_values(seed: int, coded: float) -> None:
    assert kinds(seed, coded=coded) == set()


@pytest.mark.parametrize("seed", range(3))
def test_missing_values_are_named_once(seed: int) -> None:
    assert kinds(seed, missing=0.3) == {(MISSING_RISEN, code_column("bureau"))}
    assert kinds(seed, missing=1.0) == {(COLUMN_GONE, code_column("bureau"))}


@pytest.mark.parametrize("seed", range(3))
def test_codes_alone_are_a_constant(seed: int) -> None:
    assert kinds(seed, coded=1.0, missing=0.0) == {(CONSTANT, code_column("bureau"))}
