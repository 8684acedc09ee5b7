"""The family lightgbm: gradient boosting that grows trees leaf by leaf."""

from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.array_trees import ArrayTrees, joined
from pipelines.candidates.candidate import Family
from pipelines.candidates.cost_of_trees import cost_of_trees
from pipelines.candidates.early_stopping import MOST_TREES, PATIENCE
from pipelines.candidates.settings import CandidateSettings, Range
from pipelines.candidates.tree_inputs import TABLE_WIDTH, inputs_of
from pipelines.candidates.tree_model import TreeModel

if TYPE_CHECKING:
    from pipelines.candidates.sample import Sample


@dataclass
class LightGBMParameters:
    """LightGBM's parameters under its own names."""

    num_iterations: int = 300
    """Number of trees."""
    learning_rate: float = 0.03
    """Learning rate."""
    num_leaves: int = 15
    """Most leaves of a tree."""
    min_data_in_leaf: int = 20
    """Fewest rows of a leaf, and of a group of levels."""
    lambda_l2: float = 10.0
    """L2 regularisation of leaf values."""
    feature_fraction: float = 0.5
    """Share of the features that a tree may use."""
    bagging_fraction: float = 0.8
    """Share of the rows that a tree is grown from."""


@dataclass
class LightGBMSettings(CandidateSettings):
    """LightGBM's gradient boosting, which grows trees leaf by leaf."""

    parameters: LightGBMParameters = field(default_factory=LightGBMParameters)
    """Parameters of the family."""


SPACE = {
    "num_iterations": Range(80, 400),
    "learning_rate": Range(0.02, 0.15, log=True),
    "num_leaves": Range(4, 40, log=True),
    "min_data_in_leaf": Range(5, 150, log=True),
    "lambda_l2": Range(0.1, 100, log=True),
    "feature_fraction": Range(0.2, 1),
    "bagging_fraction": Range(0.5, 1),
}
"""What a search tries."""

LIMITS = {
    "num_iterations": Range(1, inf),
    "learning_rate": Range(1e-6, inf),
    "num_leaves": Range(2, 131072),
    "min_data_in_leaf": Range(1, inf),
    "lambda_l2": Range(0, inf),
    "feature_fraction": Range(1e-6, 1),
    "bagging_fraction": Range(0.05, 1),
}
"""What LightGBM accepts; a bag of fewer rows may have none."""

CATEGORICAL, DEFAULT_LEFT, MISSING_IS_NAN = 1, 2, 8
"""Bits of LightGBM's decision types."""


class LightGBMCandidate:
    """Fits and saves LightGBM models; the same seed gives the same model, whatever the number of threads."""

    family = "lightgbm"
    trees_parameter = "num_iterations"

    def __init__(self, parameters: LightGBMParameters) -> None:
        self.parameters = parameters

    def fit(self, sample: "Sample", *, seed: int, threads: int) -> TreeModel:
        """Return a model fitted on a sample."""
        from lightgbm import train

        options = self._options(sample, seed, threads)
        booster = train(options, _dataset(sample), num_boost_round=self.parameters.num_iterations)
        return TreeModel(ArrayTrees(export_trees(booster)), inputs_of(sample))

    def fit_stopped(self, sample: "Sample", watched: "Sample", *, seed: int, threads: int) -> tuple[TreeModel, int]:
        """Return a model of as many trees as have the least log loss on the watched rows, and their number."""
        from lightgbm import early_stopping, train

        booster = train(
            self._options(sample, seed, threads),
            _dataset(sample),
            num_boost_round=MOST_TREES,
            valid_sets=[_dataset(watched, sample)],
            callbacks=[early_stopping(PATIENCE, verbose=False)],
        )
        return TreeModel(ArrayTrees(export_trees(booster)), inputs_of(sample)), booster.best_iteration

    def _options(self, sample: "Sample", seed: int, threads: int) -> dict[str, Any]:
        parameters = self.parameters
        return _dataset_options(sample) | {
            "objective": "binary",
            "metric": "binary_logloss",
            "learning_rate": parameters.learning_rate,
            "num_leaves": parameters.num_leaves,
            "min_data_in_leaf": parameters.min_data_in_leaf,
            "min_data_per_group": parameters.min_data_in_leaf,
            "lambda_l2": parameters.lambda_l2,
            "feature_fraction": parameters.feature_fraction,
            "bagging_fraction": parameters.bagging_fraction,
            "bagging_freq": 1,
            "seed": seed,
            "num_threads": threads,
        }

    def save(self, scorer: TreeModel, folder: Path) -> dict[str, object]:
        """Write the model's file and return what its inputs are."""
        return scorer.save(folder)


def _dataset_options(sample: "Sample") -> dict[str, Any]:
    """Return the options that a Dataset depends on, the same for all parameters, so that fits can share it."""
    options: dict[str, Any] = {
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "verbosity": -1,
    }
    if sample.directions:  # zeros alone would cost time too
        options["monotone_constraints"] = [sample.directions.get(name, 0) for name in inputs_of(sample).names]
        options["monotone_constraints_method"] = "intermediate"
    return options


def _dataset(sample: "Sample", learnt_from: "Sample | None" = None) -> Any:
    """Return rows as LightGBM takes them, binned once; watched rows are binned like those that are `learnt_from`."""
    from lightgbm import Dataset

    def binned() -> Any:
        inputs = inputs_of(sample if learnt_from is None else learnt_from)
        return Dataset(
            inputs.matrix(sample.columns, np.float64),
            sample.bad,
            reference=None if learnt_from is None else _dataset(learnt_from),
            weight=sample.weights,
            categorical_feature=list(range(len(inputs.numeric), len(inputs.names))),
            params=_dataset_options(sample),
        )

    return sample.once("lightgbm", binned)


def export_trees(booster: Any) -> dict[str, NDArray[Any]]:
    """Return a fitted model as plain arrays (see `ArrayTrees`), from LightGBM's text format."""
    _, *trees = booster.model_to_string().split("\nTree=")
    return joined([_tree(text) for text in trees], baseline=0.0)


def _tree(text: str) -> dict[str, NDArray[Any]]:
    """Return one tree: its inner nodes in LightGBM's order, then its leaves, whose numbers are given as -1, -2, ..."""
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def numbers(name: str, kind: type[np.generic]) -> NDArray[Any]:
        return np.array(fields.get(name, "").split(), dtype=kind)

    leaf_values, decision = numbers("leaf_value", np.float64), numbers("decision_type", np.int64)
    inner, none = len(decision), np.zeros(len(leaf_values), np.int32)
    left, right = (
        np.where(child < 0, inner + ~child, child)
        for child in (numbers("left_child", np.int64), numbers("right_child", np.int64))
    )
    threshold, by_level = numbers("threshold", np.float64), decision & CATEGORICAL > 0
    # Where no value was missing, LightGBM takes one for 0.
    missing_left = np.where(decision & MISSING_IS_NAN, decision & DEFAULT_LEFT > 0, threshold >= 0)
    counts = [numbers("internal_count", np.float64), numbers("leaf_count", np.float64)] if inner else [np.ones(1)]
    return {
        "feature": np.concatenate([numbers("split_feature", np.int32), none - 1]),
        "threshold": np.concatenate([threshold, none]),
        "value": np.concatenate([np.zeros(inner), leaf_values]),
        "count": np.concatenate(counts),
        "left": np.concatenate([left, none]),
        "right": np.concatenate([right, none]),
        "missing_left": np.concatenate([missing_left, none > 0]),
        "table": np.concatenate([np.where(by_level, threshold, -1), none - 1]).astype(np.int32),
        "tables": _tables(numbers("cat_boundaries", np.int64), numbers("cat_threshold", np.uint32)),
    }


def _tables(boundaries: NDArray[np.int64], words: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Return, for each split by levels, whether a level goes left: whether its bit of the split's words is set."""
    tables = np.zeros((max(len(boundaries) - 1, 0), TABLE_WIDTH), bool)
    for table, (start, end) in zip(tables, pairwise(boundaries.tolist()), strict=True):
        bits = np.unpackbits(words[start:end].astype("<u4").view(np.uint8), bitorder="little")
        table[: len(bits)] = bits[:TABLE_WIDTH]
    return tables


FAMILY = Family(
    name="lightgbm",
    settings=LightGBMSettings,
    candidate=LightGBMCandidate,
    scorer=TreeModel,
    space=SPACE,
    limits=LIMITS,
    fitted_with=("lightgbm",),
    cost=lambda scorer: cost_of_trees(scorer.trees, len(scorer.inputs.names)),
    extra="lightgbm",
)
