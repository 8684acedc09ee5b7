"""The family hist_gradient_boosting: scikit-learn's histogram gradient boosting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.array_trees import ArrayTrees
from pipelines.candidates.candidate import Family
from pipelines.candidates.cost_of_trees import cost_of_trees
from pipelines.candidates.early_stopping import MOST_TREES, PATIENCE
from pipelines.candidates.joint_nodes import TreeSet
from pipelines.candidates.joint_trees import JointTrees
from pipelines.candidates.portable_model import RARE, Columns, Contributions, Floats, map_levels, with_rare
from pipelines.candidates.rare_levels import known_levels
from pipelines.candidates.settings import CandidateSettings, Range

if TYPE_CHECKING:
    from pipelines.candidates.sample import Sample

MAX_LEVELS = 250
"""scikit-learn takes at most 255 levels a column; the rarer ones are learnt as one."""

FEW_ROWS = 10_000
"""Up to here one thread is faster: waking the others for each of hundreds of trees costs more than it saves."""


@dataclass
class HistGradientBoostingParameters:
    """scikit-learn's parameters under its own names."""

    max_iter: int = 150
    """Number of trees."""
    learning_rate: float = 0.05
    """Learning rate."""
    max_leaf_nodes: int = 16
    """Most leaves of a tree."""
    min_samples_leaf: int = 20
    """Fewest rows of a leaf."""
    l2_regularization: float = 20.0
    """L2 regularisation of leaf values."""
    max_features: float = 0.2
    """Share of the features tried at a split."""


@dataclass
class HistGradientBoostingSettings(CandidateSettings):
    """scikit-learn's histogram gradient boosting."""

    parameters: HistGradientBoostingParameters = field(default_factory=HistGradientBoostingParameters)
    """Parameters of the family."""


SPACE = {
    "max_iter": Range(60, 200),
    "learning_rate": Range(0.03, 0.15, log=True),
    "max_leaf_nodes": Range(4, 20),
    "min_samples_leaf": Range(5, 60, log=True),
    "l2_regularization": Range(0.1, 100, log=True),
    "max_features": Range(0.1, 1),
}
"""What a search tries."""

LIMITS = {
    "max_iter": Range(1, inf),
    "learning_rate": Range(1e-6, inf),
    "max_leaf_nodes": Range(2, inf),
    "min_samples_leaf": Range(1, inf),
    "l2_regularization": Range(0, inf),
    "max_features": Range(1e-6, 1),
}
"""What scikit-learn accepts."""


class HistGradientBoosting:
    """scikit-learn's trees as plain arrays; levels are numbered.

    A level that was never seen is scored as the rare levels, or where a column had none, goes with the majority of the
    rows at each split.
    """

    MISSING_LEVEL, UNKNOWN_LEVEL = 256, 257

    def __init__(self, trees: ArrayTrees, numeric: Sequence[str], levels: Mapping[str, Sequence[str]]) -> None:
        self.trees, self.numeric, self.levels = trees, numeric, levels
        # Models that were fitted before unknown levels had an entry take them as missing.
        self._unknown = min(self.UNKNOWN_LEVEL, trees.arrays["tables"].shape[1] - 1)

    @classmethod
    def load(cls, folder: Path, card: Mapping[str, Any], threads: int) -> Self:  # noqa: ARG003
        """Load the arrays."""
        levels = {name: card["levels"][name] for name in card["categorical"]}
        return cls(ArrayTrees.load(folder / "trees.npz"), card["numeric"], levels)

    def log_odds(self, columns: Columns) -> Floats:
        """Return the sum over the trees, bit for bit that of scikit-learn."""
        return np.asarray(self._joint.log_odds(columns)[0])

    @property
    def tree_set(self) -> TreeSet:
        """The trees and how columns become their features."""
        codes = {name: self._codes(levels) for name, levels in self.levels.items()}
        unknown = {name: levels.get(RARE, self._unknown) for name, levels in codes.items()}
        return TreeSet(self.trees, self.numeric, codes, unknown, medians={})

    @cached_property
    def _joint(self) -> JointTrees:
        return JointTrees([self.tree_set])

    def _codes(self, levels: Sequence[str]) -> dict[str | None, int]:
        return {**{level: code for code, level in enumerate(levels)}, None: self.MISSING_LEVEL}

    def contributions(self, columns: Columns) -> Contributions:
        """Return exact Shapley values of the trees (see `ArrayTrees`)."""
        base, added = self.trees.contributions(self._inputs(columns))
        return base, dict(zip([*self.numeric, *self.levels], added, strict=True))

    def _inputs(self, columns: Columns) -> list[NDArray[Any]]:
        inputs: list[NDArray[Any]] = [np.asarray(columns[name], dtype=np.float64) for name in self.numeric]
        for name, levels in self.levels.items():
            codes = self._codes(levels)
            inputs.append(map_levels(codes, codes.get(RARE, self._unknown), columns[name]).astype(np.intp))
        return inputs


class HistGradientBoostingCandidate:
    """Fits and saves scikit-learn's gradient boosting."""

    family = "hist_gradient_boosting"
    trees_parameter = "max_iter"

    def __init__(self, parameters: HistGradientBoostingParameters) -> None:
        self.parameters = parameters

    def fit(self, sample: "Sample", *, seed: int, threads: int) -> HistGradientBoosting:
        """Return a model fitted on a sample."""
        model = self._model(sample, seed, max_iter=self.parameters.max_iter, early_stopping=False)
        with _threads(sample, threads):
            model.fit(_matrix_once(sample, sample), sample.bad, sample_weight=sample.weights)
        return HistGradientBoosting(ArrayTrees(export_trees(model)), sample.numeric, known_levels(sample, MAX_LEVELS))

    def fit_stopped(
        self, sample: "Sample", watched: "Sample", *, seed: int, threads: int
    ) -> tuple[HistGradientBoosting, int]:
        """Return a model of as many trees as have the least log loss on the watched rows, and their number."""
        model = self._model(sample, seed, max_iter=MOST_TREES, early_stopping=True, n_iter_no_change=PATIENCE, tol=0.0)
        with _threads(sample, threads):
            model.fit(
                _matrix_once(sample, sample),
                sample.bad,
                sample_weight=sample.weights,
                X_val=_matrix_once(watched, sample),
                y_val=watched.bad,
                sample_weight_val=watched.weights,
            )
        trees = int(np.argmax(model.validation_score_[1:])) + 1
        del model._predictors[trees:]
        return HistGradientBoosting(
            ArrayTrees(export_trees(model)), sample.numeric, known_levels(sample, MAX_LEVELS)
        ), trees

    def _model(self, sample: "Sample", seed: int, **kind: Any) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            learning_rate=self.parameters.learning_rate,
            max_leaf_nodes=self.parameters.max_leaf_nodes,
            min_samples_leaf=self.parameters.min_samples_leaf,
            l2_regularization=self.parameters.l2_regularization,
            max_features=self.parameters.max_features,
            categorical_features=[False] * len(sample.numeric) + [True] * len(sample.categorical),
            monotonic_cst=[sample.directions.get(name, 0) for name in (*sample.numeric, *sample.categorical)],
            random_state=seed,
            **kind,
        )

    def save(self, scorer: HistGradientBoosting, folder: Path) -> dict[str, object]:
        """Write the model's file and return what its card must add: the numbers of the levels."""
        scorer.trees.save(folder / "trees.npz")
        return {"levels": scorer.levels}


def _threads(sample: "Sample", threads: int) -> Any:
    """Return a context in which scikit-learn uses so many threads."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1 if len(sample.bad) <= FEW_ROWS else threads, user_api="openmp")


def export_trees(model: Any) -> dict[str, NDArray[Any]]:
    """Return a fitted binary classifier as plain arrays (see `ArrayTrees`).

    Reads attributes that scikit-learn keeps to itself, hence the pinned version and a test that both predict alike.
    """
    trees = [predictor.nodes for (predictor,) in model._predictors]
    starts = np.cumsum([0, *map(len, trees)])
    nodes = np.concatenate(trees)
    offsets = np.repeat(starts[:-1], np.diff(starts))
    by_level = (nodes["is_categorical"] == 1) & (nodes["is_leaf"] == 0)
    table = np.full(len(nodes), -1, dtype=np.int32)
    table[by_level] = np.arange(by_level.sum())
    column = _columns_as_given(model)
    return {
        "root": starts[:-1],
        "feature": np.where(nodes["is_leaf"] == 1, -1, column[nodes["feature_idx"]]).astype(np.int32),
        "threshold": nodes["num_threshold"],
        "value": nodes["value"],
        "count": nodes["count"],
        "left": (nodes["left"] + offsets).astype(np.int32),
        "right": (nodes["right"] + offsets).astype(np.int32),
        "missing_left": nodes["missing_go_to_left"].astype(bool),
        "table": table,
        "tables": np.concatenate([_level_tables(predictor) for (predictor,) in model._predictors]),
        "baseline": np.asarray(model._baseline_prediction).reshape(-1)[0],
    }


def _columns_as_given(model: Any) -> NDArray[np.intp]:
    """Return the given column of each of scikit-learn's own, which puts the categorical ones first."""
    if model.is_categorical_ is None:
        return np.arange(model.n_features_in_)
    return np.concatenate([np.flatnonzero(model.is_categorical_), np.flatnonzero(~model.is_categorical_)])


def _level_tables(predictor: Any) -> NDArray[np.bool_]:
    """Return, per split of a tree by levels, whether level 0 to 255 goes left, then a missing and an unknown one."""
    nodes = predictor.nodes
    splits = nodes[(nodes["is_categorical"] == 1) & (nodes["is_leaf"] == 0)]
    words = predictor.raw_left_cat_bitsets[splits["bitset_idx"]].astype("<u4")
    left = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little").astype(bool)
    majority = nodes["count"][splits["left"]] >= nodes["count"][splits["right"]]
    missing = splits["missing_go_to_left"].astype(bool)
    return np.column_stack([left.reshape(len(splits), 256), missing, majority])


def _matrix_once(sample: "Sample", learnt_from: "Sample") -> NDArray[np.float64]:
    """Return the matrix of rows, made once, with the levels of the rows that are learnt from."""
    levels = known_levels(learnt_from, MAX_LEVELS)
    return sample.once("hist_gradient_boosting", lambda: _matrix(sample.columns, sample.numeric, levels))


def _matrix(columns: Columns, numeric: Sequence[str], levels: Mapping[str, Sequence[str]]) -> NDArray[np.float64]:
    blocks = [np.asarray(columns[name], dtype=np.float64) for name in numeric]
    for name, column_levels in levels.items():
        codes = {level: float(code) for code, level in enumerate(column_levels)}
        blocks.append(np.array([codes.get(level, np.nan) for level in with_rare(columns[name], column_levels)]))
    matrix = np.column_stack(blocks)
    matrix[:, np.isnan(matrix).all(axis=0)] = 0.0  # scikit-learn cannot bin nothing; a constant is never split
    return matrix


FAMILY = Family(
    name="hist_gradient_boosting",
    settings=HistGradientBoostingSettings,
    candidate=HistGradientBoostingCandidate,
    scorer=HistGradientBoosting,
    space=SPACE,
    limits=LIMITS,
    fitted_with=("scikit-learn",),
    cost=lambda scorer: cost_of_trees(scorer.trees, len(scorer.numeric) + len(scorer.levels)),
)
