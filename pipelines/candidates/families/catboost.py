"""The family catboost: gradient boosting on oblivious trees with native categories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.candidate import Family
from pipelines.candidates.early_stopping import MOST_TREES, PATIENCE
from pipelines.candidates.oblivious_shapley import ObliviousShapley
from pipelines.candidates.portable_model import (
    FEW_ROWS,
    LARGEST,
    Columns,
    Contributions,
    Floats,
    Levels,
    levels_of,
    with_rare,
)
from pipelines.candidates.rare_levels import known_levels
from pipelines.candidates.settings import CandidateSettings, Range

if TYPE_CHECKING:
    from pipelines.candidates.sample import Sample


@dataclass
class CatBoostParameters:
    """CatBoost's parameters under its own names."""

    iterations: int = 300
    """Number of trees."""
    depth: int = 6
    """Depth of a tree."""
    learning_rate: float = 0.05
    """Learning rate."""
    l2_leaf_reg: float = 5.0
    """L2 regularisation of leaf values."""
    random_strength: float = 1.0
    """Noise added to the score of a split."""
    one_hot_max_size: int = 16
    """Levels up to which a category is one-hot encoded; above, target statistics are used."""


@dataclass
class CatBoostSettings(CandidateSettings):
    """Gradient boosting on oblivious trees with native categories."""

    parameters: CatBoostParameters = field(default_factory=CatBoostParameters)
    """Parameters of the family."""


SPACE = {
    "iterations": Range(100, 400),
    "depth": Range(3, 6),
    "learning_rate": Range(0.02, 0.15, log=True),
    "l2_leaf_reg": Range(1, 30, log=True),
    "random_strength": Range(0.1, 5, log=True),
}
"""What a search tries."""

LIMITS = {
    "iterations": Range(1, inf),
    "depth": Range(1, 16),
    "learning_rate": Range(1e-6, 1),
    "l2_leaf_reg": Range(0, inf),
    "random_strength": Range(0, inf),
    "one_hot_max_size": Range(2, 255),
}
"""What CatBoost accepts; above a learning rate of 1 it warns that training diverges."""


class CatBoost:
    """CatBoost's oblivious trees; missing categories are a level of their own.

    A level that was never seen is scored as the rare levels, or where a column had none, as CatBoost does it: it is
    none of the one-hot encoded levels, and its target statistics are those of all rows.
    """

    MISSING = "(missing)"

    def __init__(
        self, model: Any, numeric: Sequence[str], levels: Mapping[str, Sequence[str]], threads: int = -1
    ) -> None:
        self.model, self.numeric, self.levels, self.threads = model, numeric, levels, threads
        self.categorical = list(levels)

    @classmethod
    def load(cls, folder: Path, card: Mapping[str, Any], threads: int) -> Self:
        """Load the model from CatBoost's own format."""
        from catboost import CatBoost as Model

        # Models that were fitted before rare levels were learnt together have no list of levels.
        levels = {name: card.get("levels", {}).get(name, ()) for name in card["categorical"]}
        return cls(Model().load_model(str(folder / "model.cbm")), card["numeric"], levels, threads)

    def log_odds(self, columns: Columns) -> Floats:
        """Return the sum over the trees."""
        data = self.arrange(columns, self.numeric, self.levels)
        return np.asarray(self.model.predict(data, prediction_type="RawFormulaVal", thread_count=self._threads(data)))

    def leaves(self, columns: Columns) -> NDArray[np.uint32]:
        """Return the leaf that each row reaches in each tree, shape (n, trees)."""
        data = self.arrange(columns, self.numeric, self.levels)
        return np.asarray(self.model.calc_leaf_indexes(data, thread_count=self._threads(data)))

    def _threads(self, data: Any) -> int:
        """Return how many threads answer; for a few rows it takes longer to start a second one than to do without."""
        return 1 if data.num_row() < FEW_ROWS else self.threads

    def contributions(self, columns: Columns) -> Contributions:
        """Return CatBoost's own exact Shapley values; what is unknown follows the rows that a tree was learnt from."""
        names = [*self.numeric, *self.categorical]
        if not len(columns[names[0]]):  # CatBoost refuses to explain nothing
            return 0.0, {}
        data = self.arrange(columns, self.numeric, self.levels)
        values = self.model.get_feature_importance(data=data, type="ShapValues", thread_count=self.threads)
        return float(values[0, -1]), dict(zip(names, values.T, strict=False))

    @classmethod
    def arrange(
        cls, columns: Columns, numeric: Sequence[str], known: Mapping[str, Sequence[str]], bad: Any = None
    ) -> Any:
        """Return columns, and outcomes to learn from, as CatBoost takes them: float32 numbers and encoded text."""
        from catboost import FeaturesData, Pool

        categorical = list(known)
        rows = len(next(iter(columns.values())))
        columns = {**columns} | {name: with_rare(columns[name], levels) for name, levels in known.items()}
        if any(isinstance(columns[name], Levels) for name in categorical):
            return cls._arrange_coded(columns, numeric, categorical)
        numbers = np.empty((rows, len(numeric)))
        levels = np.empty((rows, len(categorical)), dtype=object)
        for column, name in enumerate(numeric):
            numbers[:, column] = columns[name]
        for column, name in enumerate(categorical):
            levels[:, column] = [(cls.MISSING if level is None else level).encode() for level in columns[name]]
        features = FeaturesData(
            num_feature_data=_single(numbers) if numeric else None,
            cat_feature_data=levels if categorical else None,
            num_feature_names=list(numeric) or None,
            cat_feature_names=list(categorical) or None,
        )
        return Pool(features, label=bad, thread_count=1 if rows < FEW_ROWS else -1)

    @classmethod
    def _arrange_coded(cls, columns: Columns, numeric: Sequence[str], categorical: Sequence[str]) -> Any:
        """Return columns whose levels are numbers already: CatBoost then reads each name once, and no row's text."""
        import pandas as pd
        from catboost import Pool

        arranged: dict[str, Any] = {name: _single(columns[name]) for name in numeric}
        for name in categorical:
            coded = columns[name] if isinstance(columns[name], Levels) else levels_of(columns[name])
            names, codes = list(coded.names), coded.codes
            if len(codes) and codes.min() < 0:
                names = list(dict.fromkeys([*names, cls.MISSING]))
                codes = np.where(codes < 0, names.index(cls.MISSING), codes)
            arranged[name] = pd.Categorical.from_codes(codes, pd.Index(names, dtype=object))
        return Pool(pd.DataFrame(arranged, copy=False), cat_features=list(categorical), thread_count=1)


def _single(numbers: NDArray[Any]) -> NDArray[np.float32]:
    """Return numbers in single precision; larger ones than that holds count as its largest."""
    if numbers.dtype == np.float32:
        return numbers
    single: NDArray[np.float32] = np.clip(numbers, -LARGEST, LARGEST).astype(np.float32)
    return single


class CatBoostLeaves:
    """The leaf values of CatBoost's trees, and the Shapley values of all their leaves, made once."""

    def __init__(self, scorer: CatBoost, shapley: ObliviousShapley) -> None:
        counts = np.asarray(scorer.model.get_tree_leaf_counts(), dtype=np.int64)
        scale, bias = scorer.model.get_scale_and_bias()
        self._scorer, self._shapley = scorer, shapley
        self._starts, self._values = np.cumsum(counts) - counts, np.asarray(scorer.model.get_leaf_values())
        self._scale, self._bias = float(scale), float(bias)
        self.base, self.trees = shapley.base, len(counts)

    @classmethod
    def of(cls, scorer: CatBoost) -> Self | None:
        """Return the tables of a fitted model; None for one whose trees or splits are of another kind."""
        shapley = ObliviousShapley.of(scorer.model)
        return None if shapley is None else cls(scorer, shapley)

    def leaves(self, columns: Columns) -> NDArray[np.uint32]:
        """Return the leaf that each row reaches in each tree, shape (n, trees)."""
        return self._scorer.leaves(columns)

    def log_odds(self, leaves: NDArray[np.integer[Any]]) -> Floats:
        """Return the sum over the trees, added in their order as CatBoost does it, bit for bit that of CatBoost."""
        summed = np.add.accumulate(self._values[self._starts + leaves], axis=1)[:, -1]
        return np.asarray(summed * self._scale + self._bias)

    def contributions(self, leaves: NDArray[np.integer[Any]]) -> Floats:
        """Return what each feature adds to the log-odds, shape (n, features)."""
        return self._shapley.contributions(leaves)


BORDERS = 64
"""Thresholds of a number; a tree with CatBoost's default of 254 takes half as long again, and ranks no better."""


class CatBoostCandidate:
    """Fits and saves CatBoost models; the same seed and thread count give the same model."""

    family = "catboost"
    trees_parameter = "iterations"

    def __init__(self, parameters: CatBoostParameters) -> None:
        self.parameters = parameters

    def fit(self, sample: "Sample", *, seed: int, threads: int) -> CatBoost:
        """Return a model fitted on a sample."""
        model = self._model(sample, seed, threads, self.parameters.iterations)
        model.fit(_pool(sample, known_levels(sample)))
        return CatBoost(model, sample.numeric, known_levels(sample), threads)

    def fit_stopped(self, sample: "Sample", watched: "Sample", *, seed: int, threads: int) -> tuple[CatBoost, int]:
        """Return a model of as many trees as have the least log loss on the watched rows, and their number."""
        model, levels = self._model(sample, seed, threads, MOST_TREES), known_levels(sample)
        model.fit(_pool(sample, levels), eval_set=_pool(watched, levels), early_stopping_rounds=PATIENCE)
        return CatBoost(model, sample.numeric, levels, threads), int(model.tree_count_)

    def _model(self, sample: "Sample", seed: int, threads: int, iterations: int) -> Any:
        import catboost

        return catboost.CatBoost(
            {
                "loss_function": "Logloss",
                "iterations": iterations,
                "depth": self.parameters.depth,
                "learning_rate": self.parameters.learning_rate,
                "l2_leaf_reg": self.parameters.l2_leaf_reg,
                "random_strength": self.parameters.random_strength,
                "one_hot_max_size": self.parameters.one_hot_max_size,
                "leaf_estimation_iterations": 10,  # CatBoost's default is 1 below 200 trees and 10 from there on
                "border_count": BORDERS,
                "max_ctr_complexity": 1,  # target statistics of combined levels would break the constraints
                "monotone_constraints": [sample.directions.get(name, 0) for name in sample.numeric],
                "random_seed": seed,
                "thread_count": threads,
                "verbose": False,
                "allow_writing_files": False,
            }
        )

    def save(self, scorer: CatBoost, folder: Path) -> dict[str, object]:
        """Write the model's file and return its levels.

        Equal models are equal bytes, so the time and the random id are taken out.
        """
        metadata = scorer.model.get_metadata()
        for name in ("model_guid", "train_finish_time"):
            metadata[name] = ""
        scorer.model.save_model(str(folder / "model.cbm"))
        return {"levels": scorer.levels}


def _pool(sample: "Sample", levels: Mapping[str, list[str]]) -> Any:
    """Return rows as CatBoost takes them, encoded once."""

    def encoded() -> Any:
        rows = CatBoost.arrange(sample.columns, sample.numeric, levels, sample.bad)
        if sample.weights is not None:
            rows.set_weight(sample.weights)
        return rows

    return sample.once("catboost", encoded)


def cost(scorer: CatBoost) -> float:
    """Return microseconds per row (see `Family.cost`): columns are copied; a tree takes many rows at once."""
    copying = 0.05 + 0.013 * len(scorer.numeric) + 0.015 * len(scorer.categorical)
    depths = np.log2(scorer.model.get_tree_leaf_counts())
    return float(copying + np.sum(0.0003 + 0.00006 * depths))


FAMILY = Family(
    name="catboost",
    settings=CatBoostSettings,
    candidate=CatBoostCandidate,
    scorer=CatBoost,
    space=SPACE,
    limits=LIMITS,
    requirements=("catboost",),
    leaf_tables=CatBoostLeaves.of,
    cost=cost,
    extra="catboost",
)
