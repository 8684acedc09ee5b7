"""The hist_gradient_boosting candidate: scikit-learn's histogram gradient boosting."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates import portable_model as served
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import HistGradientBoostingParameters

MAX_LEVELS = 250
"""scikit-learn takes at most 255 levels a column; rarer ones are treated as unseen."""

FEW_ROWS = 10_000
"""Up to here one thread is faster: waking the others for each of hundreds of trees costs more than it saves."""


class HistGradientBoostingCandidate:
    """Fits and saves scikit-learn's gradient boosting."""

    family = "hist_gradient_boosting"

    def __init__(self, parameters: HistGradientBoostingParameters) -> None:
        self.parameters = parameters

    def fit(self, sample: Sample, *, seed: int, threads: int) -> served.HistGradientBoosting:
        """Return a model fitted on a sample."""
        from sklearn.ensemble import HistGradientBoostingClassifier
        from threadpoolctl import threadpool_limits

        levels = {name: _frequent_levels(sample.columns[name]) for name in sample.categorical}
        model = HistGradientBoostingClassifier(
            max_iter=self.parameters.max_iter,
            learning_rate=self.parameters.learning_rate,
            max_leaf_nodes=self.parameters.max_leaf_nodes,
            min_samples_leaf=self.parameters.min_samples_leaf,
            l2_regularization=self.parameters.l2_regularization,
            max_features=self.parameters.max_features,
            categorical_features=[False] * len(sample.numeric) + [True] * len(sample.categorical),
            early_stopping=False,
            random_state=seed,
        )
        with threadpool_limits(limits=1 if len(sample.bad) <= FEW_ROWS else threads, user_api="openmp"):
            matrix = _matrix(sample.columns, sample.numeric, levels)
            model.fit(matrix, sample.bad, sample_weight=sample.weights)
        return served.HistGradientBoosting(export_trees(model), sample.numeric, levels)

    def save(self, scorer: served.HistGradientBoosting, folder: Path) -> dict[str, object]:
        """Write the model's file and return what its card must add: the numbers of the levels."""
        np.savez_compressed(folder / "trees.npz", allow_pickle=False, **scorer.trees)
        return {"levels": scorer.levels}


def export_trees(model: Any) -> dict[str, NDArray[Any]]:
    """Return a fitted binary classifier as plain arrays (see `served.HistGradientBoosting`).

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
    """Return, per split of a tree by levels, whether level 0 to 255 goes left, and last whether a missing one does."""
    nodes = predictor.nodes
    splits = nodes[(nodes["is_categorical"] == 1) & (nodes["is_leaf"] == 0)]
    words = predictor.raw_left_cat_bitsets[splits["bitset_idx"]].astype("<u4")
    left = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little").astype(bool)
    return np.hstack([left.reshape(len(splits), 256), splits["missing_go_to_left"].astype(bool)[:, None]])


def _matrix(
    columns: served.Columns, numeric: Sequence[str], levels: Mapping[str, Sequence[str]]
) -> NDArray[np.float64]:
    blocks = [np.asarray(columns[name], dtype=np.float64) for name in numeric]
    for name, known in levels.items():
        number = {level: float(place) for place, level in enumerate(known)}
        blocks.append(np.array([number.get(level, np.nan) for level in columns[name]]))
    matrix = np.column_stack(blocks)
    matrix[:, np.isnan(matrix).all(axis=0)] = 0.0  # scikit-learn cannot bin nothing; a constant is never split
    return matrix


def _frequent_levels(values: NDArray[np.object_]) -> list[str]:
    levels, counts = np.unique([level for level in values if level is not None], return_counts=True)
    most = np.argsort(-counts, kind="stable")[:MAX_LEVELS]
    return sorted(str(level) for level in levels[most])
