"""Simulated tables of 40 numbers and 8 categories, and a champion of 500 trees that scores them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.applications.splits import Fold
from pipelines.candidates.families.catboost import CatBoostParameters, CatBoostSettings
from pipelines.candidates.registry import candidate_of
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CalibrationMethod
from pipelines.candidates.training import train
from pipelines.credit.points import PointsScale, points
from pipelines.credit.population import Population
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.profiles.development_profile import profile_of
from pipelines.storage.workspace import Workspace
from tests.pipelines.model_store.champions import attach_profile, make_champion

MILLION = 1_000_000
GROUP = 125_000
NUMERIC = [f"n{place}" for place in range(40)]
SIZES = {f"c{place}": size for place, size in enumerate([3, 5, 8, 12, 20, 40, 100, 200])}
CATEGORICAL = list(SIZES)


def simulated(rows: int, first: int = 0) -> pa.Table:
    """Return simulated rows from number `first` on: lognormal single-precision numbers, coded levels, ids."""
    generator = np.random.default_rng(first)
    columns: dict[str, object] = {"application_id": pa.array([f"a{first + row:09d}" for row in range(rows)])}
    for place, name in enumerate(NUMERIC):
        numbers = generator.lognormal(size=rows).astype(np.float32)
        if place % 4 == 0:
            numbers[generator.random(rows) < 0.1] = np.nan
        columns[name] = pa.array(numbers)
    for name, size in SIZES.items():
        codes = pa.array(generator.integers(0, size, rows).astype(np.int32))
        columns[name] = pa.DictionaryArray.from_arrays(codes, pa.array([f"level_{level}" for level in range(size)]))
    return pa.table(columns)


def write_simulated(path: Path, rows: int, first: int = 0) -> Path:
    """Write simulated rows as a Parquet file, a row group at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, simulated(1).schema) as writer:
        for start in range(0, rows, GROUP):
            writer.write_table(simulated(min(GROUP, rows - start), first + start))
    return path


def outcomes(table: pd.DataFrame) -> np.ndarray:
    """Return simulated outcomes that depend on most columns."""
    numbers = sum(np.log(table[name]) * (0.3 if place % 2 else -0.2) for place, name in enumerate(NUMERIC) if place % 4)
    levels = sum(table[name].str[6:].astype(int) * 7919 % 11 - 5 for name in CATEGORICAL)
    log_odds = np.asarray(numbers + 0.12 * levels - 1)
    return (np.random.default_rng(1).random(len(table)) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)


def crown(workspace: Workspace, folder: Path, *, trees: int, rows: int = 50_000) -> RegisteredModel:
    """Fit trees on simulated rows and make them the champion of a workspace, with their reference profile."""
    table = simulated(rows, first=10**8).to_pandas().astype(dict.fromkeys(CATEGORICAL, str))
    bad, order = outcomes(table), np.arange(rows)
    settings = CatBoostSettings(parameters=CatBoostParameters(iterations=trees, depth=6, one_hot_max_size=16))
    sample = Sample.of(table, bad, NUMERIC, CATEGORICAL)
    folds = [Fold(order[: rows // 2], order[rows // 2 :])]
    trained = train(candidate_of(settings), sample, folds, CalibrationMethod.logistic, seed=0, threads=2)
    champion = make_champion(ModelStore(workspace), trained, folder)
    probability = trained.model.probability_of_bad(sample.columns)
    scored, features = points(probability, PointsScale()), table[[*NUMERIC, *CATEGORICAL]]
    profile = profile_of(scored, probability, features, NUMERIC, Population.applications)
    attach_profile(ModelStore(workspace), champion, profile)
    return champion
