"""The family lightgbm: gradient boosting that grows trees leaf by leaf."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, log2
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pipelines.candidates.candidate import Family
from pipelines.candidates.early_stopping import MOST_TREES, PATIENCE
from pipelines.candidates.portable_model import FEW_ROWS, Columns, Contributions, Floats
from pipelines.candidates.settings import CandidateSettings, Range
from pipelines.candidates.tree_inputs import TreeInputs, inputs_of

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


class LightGBM:
    """LightGBM's trees; their sums and their exact Shapley values are LightGBM's own, in double precision."""

    def __init__(self, booster: Any, inputs: TreeInputs, threads: int) -> None:
        self.booster, self.inputs, self.threads = booster, inputs, threads

    @classmethod
    def load(cls, folder: Path, card: Mapping[str, Any], threads: int) -> Self:
        """Load the model from LightGBM's text format."""
        from lightgbm import Booster

        return cls(Booster(model_str=(folder / "model.txt").read_text()), TreeInputs.of_card(card), threads)

    def log_odds(self, columns: Columns) -> Floats:
        """Return the sum over the trees."""
        return self._predict(columns, raw_score=True)

    def contributions(self, columns: Columns) -> Contributions:
        """Return LightGBM's Shapley values; what is unknown follows the rows that a branch was learnt from."""
        values = self._predict(columns, pred_contrib=True)
        if not len(values):
            return 0.0, {}
        return float(values[0, -1]), dict(zip(self.inputs.names, values.T, strict=False))

    def _predict(self, columns: Columns, **kind: bool) -> Floats:
        matrix = self.inputs.matrix(columns, np.float64)
        if not len(matrix):  # LightGBM refuses to predict nothing
            return np.zeros(0)
        threads = 1 if len(matrix) < FEW_ROWS else self.threads
        return np.asarray(self.booster.predict(matrix, num_threads=threads, **kind))


class LightGBMCandidate:
    """Fits and saves LightGBM models; the same seed gives the same model, whatever the number of threads."""

    family = "lightgbm"
    trees_parameter = "num_iterations"

    def __init__(self, parameters: LightGBMParameters) -> None:
        self.parameters = parameters

    def fit(self, sample: "Sample", *, seed: int, threads: int) -> LightGBM:
        """Return a model fitted on a sample."""
        from lightgbm import train

        options = self._options(sample, seed, threads)
        booster = train(options, _dataset(sample), num_boost_round=self.parameters.num_iterations)
        return LightGBM(booster, inputs_of(sample), threads)

    def fit_stopped(self, sample: "Sample", watched: "Sample", *, seed: int, threads: int) -> tuple[LightGBM, int]:
        """Return a model of as many trees as have the least log loss on the watched rows, and their number."""
        from lightgbm import early_stopping, train

        booster = train(
            self._options(sample, seed, threads),
            _dataset(sample),
            num_boost_round=MOST_TREES,
            valid_sets=[_dataset(watched, sample)],
            callbacks=[early_stopping(PATIENCE, verbose=False)],
        )
        return LightGBM(booster, inputs_of(sample), threads), booster.best_iteration

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

    def save(self, scorer: LightGBM, folder: Path) -> dict[str, object]:
        """Write the model's file and return what its inputs are."""
        (folder / "model.txt").write_text(scorer.booster.model_to_string())
        return scorer.inputs.record()


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


def cost(scorer: LightGBM) -> float:
    """Return microseconds per row: a node on the way down a tree costs what a wrong guess costs a processor."""
    leaves = map(int, re.findall(r"^num_leaves=(\d+)", scorer.booster.model_to_string(), re.MULTILINE))
    return 0.2 + 0.01 * sum(map(log2, leaves))


FAMILY = Family(
    name="lightgbm",
    settings=LightGBMSettings,
    candidate=LightGBMCandidate,
    scorer=LightGBM,
    space=SPACE,
    limits=LIMITS,
    requirements=("lightgbm",),
    cost=cost,
    extra="lightgbm",
)
