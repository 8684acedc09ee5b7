"""The family xgboost: gradient boosting that grows trees level by level."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from math import inf, log
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.array_trees import ArrayTrees, joined
from pipelines.candidates.candidate import Family
from pipelines.candidates.cost_of_trees import cost_of_trees
from pipelines.candidates.early_stopping import MOST_TREES, PATIENCE
from pipelines.candidates.settings import CandidateSettings, Range
from pipelines.candidates.tree_inputs import TABLE_WIDTH, TreeInputs, inputs_of
from pipelines.candidates.tree_model import TreeModel

if TYPE_CHECKING:
    from pipelines.candidates.sample import Sample


@dataclass
class XGBoostParameters:
    """XGBoost's parameters under the names of its scikit-learn interface."""

    n_estimators: int = 300
    """Number of trees."""
    learning_rate: float = 0.03
    """Learning rate."""
    max_depth: int = 4
    """Depth of a tree."""
    min_child_weight: float = 5.0
    """Least sum of p (1 - p) over the rows of a leaf, p being the probability that earlier trees give a row."""
    reg_lambda: float = 10.0
    """L2 regularisation of leaf values."""
    colsample_bytree: float = 0.5
    """Share of the features that a tree may use."""
    subsample: float = 0.8
    """Share of the rows that a tree is grown from."""


@dataclass
class XGBoostSettings(CandidateSettings):
    """XGBoost's gradient boosting, which grows trees level by level."""

    parameters: XGBoostParameters = field(default_factory=XGBoostParameters)
    """Parameters of the family."""


SPACE = {
    "n_estimators": Range(80, 400),
    "learning_rate": Range(0.02, 0.15, log=True),
    "max_depth": Range(2, 7),
    "min_child_weight": Range(1, 30, log=True),
    "reg_lambda": Range(0.1, 100, log=True),
    "colsample_bytree": Range(0.2, 1),
    "subsample": Range(0.5, 1),
}
"""What a search tries."""

LIMITS = {
    "n_estimators": Range(1, inf),
    "learning_rate": Range(1e-6, inf),
    "max_depth": Range(1, 16),
    "min_child_weight": Range(0, inf),
    "reg_lambda": Range(0, inf),
    "colsample_bytree": Range(1e-6, 1),
    "subsample": Range(0.05, 1),
}
"""What XGBoost accepts; the nodes of deeper trees take gigabytes, and a bag of fewer rows may have none."""


def types_of(inputs: TreeInputs) -> list[str]:
    """Return which columns XGBoost takes as quantities and which as categories."""
    return ["q"] * len(inputs.numeric) + ["c"] * len(inputs.levels)


class XGBoostCandidate:
    """Fits and saves XGBoost models; the same seed and thread count give the same model."""

    family = "xgboost"
    trees_parameter = "n_estimators"

    def __init__(self, parameters: XGBoostParameters) -> None:
        self.parameters = parameters

    def fit(self, sample: "Sample", *, seed: int, threads: int) -> TreeModel:
        """Return a model fitted on a sample."""
        from xgboost import train

        options = self._options(sample, seed, threads)
        booster = train(options, _quantile_matrix(sample), num_boost_round=self.parameters.n_estimators)
        return TreeModel(ArrayTrees(export_trees(booster)), inputs_of(sample))

    def fit_stopped(self, sample: "Sample", watched: "Sample", *, seed: int, threads: int) -> tuple[TreeModel, int]:
        """Return a model of as many trees as have the least log loss on the watched rows, and their number."""
        from xgboost import train

        booster = train(
            self._options(sample, seed, threads),
            _quantile_matrix(sample),
            num_boost_round=MOST_TREES,
            evals=[(_quantile_matrix(watched, sample), "watched")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        trees = booster.best_iteration + 1
        return TreeModel(ArrayTrees(export_trees(booster[:trees])), inputs_of(sample)), trees

    def _options(self, sample: "Sample", seed: int, threads: int) -> dict[str, Any]:
        parameters = self.parameters
        options: dict[str, Any] = {
            "objective": "binary:logistic",
            "eval_metric": "logloss",
            "tree_method": "hist",
            "learning_rate": parameters.learning_rate,
            "max_depth": parameters.max_depth,
            "min_child_weight": parameters.min_child_weight,
            "reg_lambda": parameters.reg_lambda,
            "colsample_bytree": parameters.colsample_bytree,
            "subsample": parameters.subsample,
            "seed": seed,
            "nthread": threads,
            "verbosity": 0,
        }
        if sample.directions:
            options["monotone_constraints"] = tuple(sample.directions.get(name, 0) for name in inputs_of(sample).names)
        return options

    def save(self, scorer: TreeModel, folder: Path) -> dict[str, object]:
        """Write the model's file and return what its inputs are."""
        return scorer.save(folder)


def _quantile_matrix(sample: "Sample", learnt_from: "Sample | None" = None) -> Any:
    """Return rows as XGBoost takes them, binned once; watched rows are binned like those that are `learnt_from`."""
    from xgboost import QuantileDMatrix

    def binned() -> Any:
        inputs = inputs_of(sample if learnt_from is None else learnt_from)
        return QuantileDMatrix(
            inputs.matrix(sample.columns, np.float32),
            sample.bad,
            ref=None if learnt_from is None else _quantile_matrix(learnt_from),
            weight=sample.weights,
            feature_types=types_of(inputs),
            enable_categorical=True,
            nthread=1,
        )

    return sample.once("xgboost", binned)


def export_trees(booster: Any) -> dict[str, NDArray[Any]]:
    """Return a fitted model as plain arrays (see `ArrayTrees`), from XGBoost's JSON format."""
    learner = json.loads(booster.save_raw("json"))["learner"]
    (rate,) = map(float, learner["learner_model_param"]["base_score"].strip("[]").split(","))
    return joined([_tree(tree) for tree in learner["gradient_booster"]["model"]["trees"]], log(rate / (1 - rate)))


def _tree(tree: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return one tree; a number goes left below XGBoost's condition, a level unless it is among the node's."""
    left, condition = np.array(tree["left_children"]), np.array(tree["split_conditions"], np.float32)
    table, tables = np.full(len(left), -1), np.ones((len(tree["categories_nodes"]), TABLE_WIDTH), bool)
    table[tree["categories_nodes"]] = np.arange(len(tables))
    for row, start, size in zip(tables, tree["categories_segments"], tree["categories_sizes"], strict=True):
        row[tree["categories"][start : start + size]] = False
    return {
        "feature": np.where(left < 0, -1, tree["split_indices"]).astype(np.int32),
        "threshold": np.nextafter(condition, np.float32(-inf)),
        "value": np.where(left < 0, condition, 0).astype(np.float64),
        "count": np.array(tree["sum_hessian"], np.float64),
        "left": left,
        "right": np.array(tree["right_children"]),
        "missing_left": np.array(tree["default_left"], bool),
        "table": table,
        "tables": tables,
    }


def _distribution() -> str:
    """Return the installed package that has the module xgboost: there is one with and one without code for GPUs."""
    try:
        version("xgboost-cpu")
    except PackageNotFoundError:
        return "xgboost"
    return "xgboost-cpu"


FAMILY = Family(
    name="xgboost",
    settings=XGBoostSettings,
    candidate=XGBoostCandidate,
    scorer=TreeModel,
    space=SPACE,
    limits=LIMITS,
    fitted_with=(_distribution(),),
    cost=lambda scorer: cost_of_trees(scorer.trees, len(scorer.inputs.names)),
    extra="xgboost",
)
