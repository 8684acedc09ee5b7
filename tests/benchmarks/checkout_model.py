"""A champion as large as the claims say: 500 trees of CatBoost on 40 numbers and 8 texts, learnt from made-up rows."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.applications.splits import Fold
from pipelines.candidates.families.catboost import CatBoostParameters, CatBoostSettings
from pipelines.candidates.registry import candidate_of
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CalibrationMethod
from pipelines.candidates.training import TrainedModel, train
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from tests.pipelines.model_store.champions import make_champion

NUMERIC = [f"number_{place:02d}" for place in range(40)]
CATEGORICAL = [f"text_{place}" for place in range(8)]
TREES = 500


def made_up(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return features with missing values and levels of several counts, and outcomes that depend on some of them."""
    generator = np.random.default_rng(seed)
    numbers = generator.lognormal(size=(rows, len(NUMERIC)))
    logit = np.log(numbers[:, :6]) @ np.array([0.6, -0.5, 0.4, -0.3, 0.3, 0.2]) - 1.5
    numbers[generator.random(numbers.shape) < 0.05] = np.nan
    table = pd.DataFrame(numbers, columns=NUMERIC)
    for place, name in enumerate(CATEGORICAL):
        codes = generator.integers(0, 4 * (place + 1), rows)
        logit += 0.3 * ((codes % 4) == 0) if place < 3 else 0
        table[name] = [None if code == 1 and place else f"level {code}" for code in codes]
    return table, (generator.random(rows) < 1 / (1 + np.exp(-logit))).astype(np.int8)


def trained_model(seed: int = 1, *, rows: int = 20_000, trees: int = TREES) -> TrainedModel:
    """Return the model of a seed."""
    table, bad = made_up(rows, seed)
    sample = Sample.of(table, bad, NUMERIC, CATEGORICAL)
    parts = np.arange(rows) % 2
    folds = [Fold(np.flatnonzero(parts != part), np.flatnonzero(parts == part)) for part in (0, 1)]
    candidate = candidate_of(CatBoostSettings(parameters=CatBoostParameters(iterations=trees)))
    return train(candidate, sample, folds, CalibrationMethod.logistic, seed=seed, threads=2)


def register(store: ModelStore, folder: Path, *, rows: int = 20_000, trees: int = TREES) -> RegisteredModel:
    """Make such a model champion."""
    return make_champion(store, trained_model(rows=rows, trees=trees), folder / "checkout")
