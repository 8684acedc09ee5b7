"""The family xgboost: gradient boosting that grows trees level by level."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from math import inf, log2
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pipelines.candidates.candidate import Family
from pipelines.candidates.early_stopping import MOST_TREES, PATIENCE
from pipelines.candidates.portable_model import Columns, Contributions, Floats
from pipelines.candidates.settings import CandidateSettings, Range
from pipelines.candidates.tree_inputs import TreeInputs, inputs_of

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


class XGBoost:
    """XGBoost's trees; their sums and their Shapley values are XGBoost's own, in single precision."""

    def __init__(self, booster: Any, inputs: TreeInputs, threads: int) -> None:
        booster.set_param({"nthread": threads})
        self.booster, self.inputs, self.threads = booster, inputs, threads

    @classmethod
    def load(cls, folder: Path, card: Mapping[str, Any], threads: int) -> Self:
        """Load the model from XGBoost's JSON format."""
        from xgboost import Booster

        return cls(Booster(model_file=str(folder / "booster.json")), TreeInputs.of_card(card), threads)

    def log_odds(self, columns: Columns) -> Floats:
        """Return the sum over the trees."""
        matrix = self.inputs.matrix(columns, np.float32)
        margins = self.booster.inplace_predict(matrix, predict_type="margin", validate_features=False)
        return np.asarray(margins, dtype=np.float64)

    def contributions(self, columns: Columns) -> Contributions:
        """Return XGBoost's Shapley values; what is unknown follows the rows that a branch was learnt from."""
        if not len(next(iter(columns.values()))):
            return 0.0, {}
        values = np.asarray(self.booster.predict(self._rows(columns), pred_contribs=True), dtype=np.float64)
        return float(values[0, -1]), dict(zip(self.inputs.names, values.T, strict=False))

    def _rows(self, columns: Columns) -> Any:
        from xgboost import DMatrix

        return DMatrix(
            self.inputs.matrix(columns, np.float32), feature_types=types_of(self.inputs), nthread=self.threads
        )


def types_of(inputs: TreeInputs) -> list[str]:
    """Return which columns XGBoost takes as quantities and which as categories."""
    return ["q"] * len(inputs.numeric) + ["c"] * len(inputs.levels)


class XGBoostCandidate:
    """Fits and saves XGBoost models; the same seed and thread count give the same model."""

    family = "xgboost"
    trees_parameter = "n_estimators"

    def __init__(self, parameters: XGBoostParameters) -> None:
        self.parameters = parameters

    def fit(self, sample: "Sample", *, seed: int, threads: int) -> XGBoost:
        """Return a model fitted on a sample."""
        from xgboost import train

        options = self._options(sample, seed, threads)
        booster = train(options, _quantile_matrix(sample), num_boost_round=self.parameters.n_estimators)
        return XGBoost(booster, inputs_of(sample), threads)

    def fit_stopped(self, sample: "Sample", watched: "Sample", *, seed: int, threads: int) -> tuple[XGBoost, int]:
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
        return XGBoost(booster[:trees], inputs_of(sample), threads), trees

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

    def save(self, scorer: XGBoost, folder: Path) -> dict[str, object]:
        """Write the model's file and return what its inputs are."""
        scorer.booster.save_model(folder / "booster.json")
        return scorer.inputs.record()


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


def _distribution() -> str:
    """Return the installed package that has the module xgboost: there is one with and one without code for GPUs."""
    try:
        version("xgboost-cpu")
    except PackageNotFoundError:
        return "xgboost"
    return "xgboost-cpu"


def cost(scorer: XGBoost) -> float:
    """Return microseconds per row; XGBoost takes many rows down a tree at once."""
    nodes = map(int, re.findall(rb'"num_nodes":"(\d+)"', scorer.booster.save_raw("json")))
    return 0.2 + 0.0016 * sum(map(log2, nodes))


FAMILY = Family(
    name="xgboost",
    settings=XGBoostSettings,
    candidate=XGBoostCandidate,
    scorer=XGBoost,
    space=SPACE,
    limits=LIMITS,
    requirements=(_distribution(),),
    cost=cost,
    extra="xgboost",
)
