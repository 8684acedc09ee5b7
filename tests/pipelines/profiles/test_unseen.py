"""What a reference expects of values that it never held is what new samples bring."""

from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.thresholds.thresholds import Level
from pipelines.credit.population import Population
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.engines import engine_of
from pipelines.profiles.passes import open_table
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.settings import ProfileEngine
from pipelines.profiles.table_profile import profile_reference
from pipelines.profiles.unseen import unseen_weight
from tests.monitoring.measures.comparing import moves_of

ROWS = 4000


def cities(rows: int, seed: int, exponent: float = 1.6) -> np.ndarray:
    """Return cities of which a few are large; others are met for the first time in any sample."""
    names = np.random.default_rng(seed).zipf(exponent, rows)
    return np.array([f"c{one}" for one in names], dtype=object)


def reference_of(values: np.ndarray) -> ReferenceProfile:
    points = np.random.default_rng(0).integers(400, 700, len(values))
    return profile_of(points, points / 1000, pd.DataFrame({"city": values}), [], Population.applications)


@pytest.mark.parametrize("exponent", [1.3, 1.6, 2.2])
def test_the_expected_share_is_what_each_fold_brings_that_the_others_lack(exponent: float) -> None:
    errors = []
    for seed in range(20):
        values = cities(ROWS, seed, exponent)
        for fold in range(4):
            is_out = np.arange(ROWS) % 4 == fold
            profile = reference_of(values[~is_out])
            bins = profile.bins[1]
            expected = profile.counts["city"][-1] / profile.rows
            brought = bins.count(values[is_out])[-1] / is_out.sum()
            worth = profile.rows * unseen_weight(profile.counts["city"][-1], bins.twice)
            errors.append((brought - expected) / np.sqrt(expected * (1 - expected) * (1 / worth + 1 / is_out.sum())))
    assert abs(np.mean(errors)) < 4 / np.sqrt(20)  # folds of one sample are not independent
    assert 0.8 < np.std(errors) < 1.25


def test_a_column_whose_values_are_all_known_expects_no_other() -> None:
    profile = reference_of(np.array(["a", "b"] * 500, dtype=object))
    assert (profile.counts["city"][-1], profile.bins[1].twice) == (0, 0)


def test_tables_and_models_expect_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, values = tmp_path_factory.mktemp("table"), cities(ROWS, 1)
    points = np.random.default_rng(0).integers(400, 700, ROWS)
    pq.write_table(pa.table({"points": points, "city": pa.array(values, pa.string())}), folder / "t.parquet")
    with engine_of(ProfileEngine.threads, threads=1, memory="1GB", scratch=folder) as engine:
        table = profile_reference(engine, open_table(folder / "t.parquet"), TableRoles(), Population.applications)
    model = reference_of(values)
    assert table.reference.counts["city"] == model.counts["city"]
    assert table.reference.bins[1] == model.bins[1]
    assert model.counts["city"][-1] == sum(number == 1 for number in Counter(values).values())


def test_rare_cities_are_quiet_and_a_flood_of_new_ones_is_not() -> None:
    profile = reference_of(cities(ROWS, 2))
    for seed in range(10, 30):
        now = {"points": np.random.default_rng(seed).integers(400, 700, 1000), "city": cities(1000, seed)}
        assert {one.judgement.level for one in moves_of(profile, now)} == {Level.QUIET}
        now["city"][::4] = "never before"
        assert {one.column: one.judgement.level for one in moves_of(profile, now)}["city"] is Level.ACT
