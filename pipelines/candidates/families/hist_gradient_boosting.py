"""The family hist_gradient_boosting: scikit-learn's histogram gradient boosting."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.candidate import Family
from pipelines.candidates.early_stopping import MOST_TREES, PATIENCE
from pipelines.candidates.portable_model import RARE, Columns, Contributions, Floats, map_levels, with_rare
from pipelines.candidates.rare_levels import known_levels
from pipelines.candidates.settings import CandidateSettings, Range
from pipelines.candidates.tree_shapley import shares_of_conditions

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
    """scikit-learn's trees as plain arrays, one row per node; levels are numbered.

    `root` holds the first node of each tree. A node has a `feature` (-1 for a leaf with its `value`), a `left` and a
    `right` child; a value goes left up to the node's `threshold`, or as row `table` of `tables` says for its level.

    A level that was never seen is scored as the rare levels, or where a column had none, goes with the majority of the
    rows at each split.
    """

    MISSING_LEVEL, UNKNOWN_LEVEL = 256, 257
    ONE_BY_ONE = 4
    """So few rows go down all trees at once, each by itself; more go down one tree after the other, all at once."""

    def __init__(
        self, trees: Mapping[str, NDArray[Any]], numeric: Sequence[str], levels: Mapping[str, Sequence[str]]
    ) -> None:
        self.trees, self.numeric, self.levels = trees, numeric, levels
        # Models that were fitted before unknown levels had an entry take them as missing.
        self._unknown = min(self.UNKNOWN_LEVEL, trees["tables"].shape[1] - 1)

    @classmethod
    def load(cls, folder: Path, card: Mapping[str, Any], threads: int) -> Self:  # noqa: ARG003
        """Load the arrays."""
        with np.load(folder / "trees.npz", allow_pickle=False) as stored:
            trees = {name: stored[name] for name in stored.files}
        return cls(trees, card["numeric"], {name: card["levels"][name] for name in card["categorical"]})

    def log_odds(self, columns: Columns) -> Floats:
        """Return the sum over the trees, bit for bit that of scikit-learn."""
        inputs = self._inputs(columns)
        if len(inputs[0]) <= self.ONE_BY_ONE:
            return np.array([self._of_row(np.array(row, dtype=np.float64)) for row in zip(*inputs, strict=True)])
        goes_left = self._question(inputs)
        feature, left, right, value = (self.trees[name].tolist() for name in ("feature", "left", "right", "value"))

        def answer(node: int) -> Any:
            if feature[node] < 0:
                return value[node]
            return np.where(goes_left(node), answer(left[node]), answer(right[node]))

        total = np.full(len(inputs[0]), float(self.trees["baseline"]))
        for root in self.trees["root"].tolist():
            total += answer(root)
        return total

    def _of_row(self, row: Floats) -> float:
        """Return the sum over the trees for one row's inputs, shape (features,), added in the order of the trees."""
        trees, node = self.trees, self.trees["root"]
        while (trees["feature"][node] >= 0).any():
            x, table = row[trees["feature"][node]], trees["table"][node]
            # What compares false, a missing number, goes left where the node says so.
            is_left = np.where(
                trees["missing_left"][node], ~(x > trees["threshold"][node]), x <= trees["threshold"][node]
            )
            if (table >= 0).any():
                of_level = table >= 0
                is_left[of_level] = trees["tables"][table[of_level], x[of_level].astype(np.intp)]
            below = np.where(is_left, trees["left"][node], trees["right"][node])
            node = np.where(trees["feature"][node] < 0, node, below)
        return float(np.add.accumulate([float(trees["baseline"]), *trees["value"][node]])[-1])

    def contributions(self, columns: Columns) -> Contributions:
        """Return exact Shapley values of the trees (path-dependent TreeSHAP; Lundberg, Erion and Lee 2018).

        What is expected where a feature is unknown follows the rows that each branch was learnt from. Raises ValueError
        when the file does not tell them.
        """
        if "count" not in self.trees:
            raise ValueError("trees.npz has no row counts of its nodes, which contributions need; fit the model again")
        inputs = self._inputs(columns)
        base, added = float(self.trees["baseline"]), np.zeros((len(inputs), len(inputs[0])))
        for value, features, expected, is_met in self._leaves(inputs):
            base += value * float(np.prod(expected))
            if features:
                added[features] += value * shares_of_conditions(is_met, expected)
        return base, dict(zip([*self.numeric, *self.levels], added, strict=True))

    def _leaves(self, inputs: list[NDArray[Any]]) -> Iterator[tuple[float, list[int], Floats, NDArray[np.bool_]]]:
        """Yield each leaf's value, the features that lead to it, and of each: the share of rows that pass, and who."""
        names = ("feature", "left", "right", "value", "count")
        feature, left, right, value, count = (self.trees[name].tolist() for name in names)
        goes_left = self._question(inputs)

        def below(node: int, path: dict[int, tuple[float, Any]]) -> Iterator[tuple[float, dict[int, Any]]]:
            if feature[node] < 0:
                yield value[node], path
                return
            is_left, (share, passed) = goes_left(node), path.get(feature[node], (1.0, True))
            for child, goes_there in ((left[node], is_left), (right[node], ~is_left)):
                step = {feature[node]: (share * count[child] / count[node], passed & goes_there)}
                yield from below(child, path | step)

        for root in self.trees["root"].tolist():
            for leaf_value, path in below(root, {}):
                shares, passed = zip(*path.values(), strict=True) if path else ((), ())
                yield leaf_value, list(path), np.array(shares), np.array(passed)

    def _question(self, inputs: list[NDArray[Any]]) -> Callable[[int], NDArray[np.bool_]]:
        """Return a function that says of a node which rows go to its left child."""
        names = ("feature", "threshold", "table", "missing_left")
        feature, threshold, table, missing_left = (self.trees[name].tolist() for name in names)
        tables = self.trees["tables"]

        def goes_left(node: int) -> NDArray[np.bool_]:
            x = inputs[feature[node]]
            if table[node] >= 0:
                return np.asarray(tables[table[node]][x])
            if missing_left[node]:
                return np.asarray(~(x > threshold[node]))  # true for missing values
            return np.asarray(x <= threshold[node])

        return goes_left

    def _inputs(self, columns: Columns) -> list[NDArray[Any]]:
        inputs: list[NDArray[Any]] = [np.asarray(columns[name], dtype=np.float64) for name in self.numeric]
        for name, levels in self.levels.items():
            codes: dict[str | None, float] = {level: code for code, level in enumerate(levels)}
            unknown = codes.get(RARE, self._unknown)
            inputs.append(map_levels(codes | {None: self.MISSING_LEVEL}, unknown, columns[name]).astype(np.intp))
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
        return HistGradientBoosting(export_trees(model), sample.numeric, known_levels(sample, MAX_LEVELS))

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
        return HistGradientBoosting(export_trees(model), sample.numeric, known_levels(sample, MAX_LEVELS)), trees

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
        np.savez_compressed(folder / "trees.npz", allow_pickle=False, **scorer.trees)
        return {"levels": scorer.levels}


def _threads(sample: "Sample", threads: int) -> Any:
    """Return a context in which scikit-learn uses so many threads."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1 if len(sample.bad) <= FEW_ROWS else threads, user_api="openmp")


def export_trees(model: Any) -> dict[str, NDArray[Any]]:
    """Return a fitted binary classifier as plain arrays (see `HistGradientBoosting`).

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


def cost(scorer: HistGradientBoosting) -> float:
    """Return microseconds per row: each node is asked of each row, and a table looked up costs about twice as much."""
    return float(0.0013 * len(scorer.trees["feature"]) + 0.0015 * np.count_nonzero(scorer.trees["table"] >= 0))


FAMILY = Family(
    name="hist_gradient_boosting",
    settings=HistGradientBoostingSettings,
    candidate=HistGradientBoostingCandidate,
    scorer=HistGradientBoosting,
    space=SPACE,
    limits=LIMITS,
    fitted_with=("scikit-learn",),
    cost=cost,
)
