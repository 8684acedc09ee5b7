"""Shapley values of CatBoost's trees from tables that are made once: to explain a row is to look it up."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Floats
from pipelines.candidates.tree_shapley import quadrature

FEW_ROWS = 32
"""So many rows are explained one by one; above that tree by tree is faster. The sums are the same to the last bit."""


@dataclass(frozen=True)
class Tree:
    """An oblivious tree of depth d: the feature of each level, and of its 2^d leaves the value and the rows learnt.

    Bit j of a leaf's number says whether the question of level j was answered with yes; the last level is the root.
    """

    features: tuple[int, ...]
    values: Floats
    rows: Floats


class ObliviousShapley:
    """Exact path-dependent Shapley values (TreeSHAP; Lundberg, Erion and Lee 2018) of a CatBoost model.

    All rows of an oblivious tree's leaf have answered every question alike, so that the leaf alone says what each
    feature adds: one table per tree, of shape (2^d, m) for its m features, holds all there is to know.
    """

    def __init__(self, trees: list[Tree], base: float, features: int) -> None:
        self._features = features
        self._names = [sorted(set(tree.features)) for tree in trees]
        self._tables = [table_of(tree) for tree in trees]
        self.base = base + sum(expected_value(tree) for tree in trees)
        self._starts, self._flat_names, self._flat = _flattened(self._names, self._tables, features)

    @classmethod
    def of(cls, model: Any) -> Self | None:
        """Return the tables of a fitted model; None for one whose trees or splits are of another kind."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.json"
            model.save_model(str(path), format="json")
            exported = json.loads(path.read_text())
        questions = _features_of_splits(exported["features_info"])
        if questions is None or "oblivious_trees" not in exported:
            return None
        scale, (bias, *_) = exported["scale_and_bias"]
        trees = [_tree(one, questions, scale) for one in exported["oblivious_trees"]]
        return cls(trees, bias, len(model.feature_names_))

    def contributions(self, leaves: NDArray[np.integer[Any]]) -> Floats:
        """Return what each feature adds to the log-odds, shape (n, features), of rows whose leaves are (n, trees)."""
        if len(leaves) <= FEW_ROWS:
            rows = self._starts + leaves
            return np.array([self._of_row(row) for row in rows]).reshape(len(leaves), self._features)
        added = np.zeros((self._features, len(leaves)))
        for table, names, reached in zip(self._tables, self._names, leaves.T, strict=True):
            for position, name in enumerate(names):
                added[name] += table[position][reached]
        return added.T

    def _of_row(self, entries: NDArray[np.intp]) -> Floats:
        """Return the contributions of one row, shape (features,), from the places of its leaves in the one table."""
        names, values = self._flat_names[entries].ravel(), self._flat[entries].ravel()
        return np.asarray(np.bincount(names, values, self._features + 1)[:-1])


def table_of(tree: Tree) -> Floats:
    """Return what each of a tree's m features adds in each of its leaves, shape (m, 2^d).

    What is expected where a feature is unknown follows the rows that each branch was learnt from. The weights of
    coalitions are Beta integrals, so that feature k gets, summed over all leaves l with value v,

        v_l (met_k - expected_k) times the integral from 0 to 1 of prod_{j != k} (t met_j + (1 - t) expected_j) dt,

    where `met` says whether the row meets the leaf's conditions on a feature and `expected` which share of rows does:
    a polynomial that Gauss-Legendre quadrature integrates exactly.
    """
    leaves = np.arange(len(tree.values))
    same, share = leaves[:, None] ^ leaves[None, :], _shares(tree)
    names = sorted(set(tree.features))
    met, expected = np.ones((len(names), *same.shape), bool), np.ones((len(names), len(leaves)))
    for level, feature in enumerate(tree.features):
        met[names.index(feature)] &= (same >> level & 1) == 0
        expected[names.index(feature)] *= share[level]
    total = np.zeros(met.shape)
    for t, weight in zip(*quadrature((len(names) + 1) // 2), strict=True):
        total += weight * _products_of_others(t * met + (1 - t) * expected[:, None])
    return np.asarray(((met - expected[:, None]) * total) @ tree.values)


def expected_value(tree: Tree) -> float:
    """Return the mean of a tree over the rows that it was learnt from."""
    return float(tree.values @ _shares(tree).prod(axis=0))


def _shares(tree: Tree) -> Floats:
    """Return the share of the rows of a node that go on to each leaf's side of it, shape (d, 2^d)."""
    depth = len(tree.features)
    share = np.empty((depth, len(tree.rows)))
    for level in range(depth):
        below = tree.rows.reshape(-1, 2, 2**level).sum(axis=2)  # of each node of the level: its two children
        whole = below.sum(axis=1, keepdims=True)
        children = np.divide(below, whole, out=np.zeros_like(below), where=whole > 0)
        share[level] = np.repeat(children.ravel(), 2**level)
    return share


def _products_of_others(factors: Floats) -> Floats:
    """Return for each of m factors, shape (m, ...), the product of all the others."""
    ones = np.ones_like(factors[:1])
    before = np.concatenate([ones, np.cumprod(factors[:-1], axis=0)])
    after = np.concatenate([np.cumprod(factors[:0:-1], axis=0)[::-1], ones])
    return np.asarray(before * after)


def _flattened(
    names: list[list[int]], tables: list[Floats], none: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Return where each tree's leaves start in one table of all leaves, and its features and values.

    Both have as many columns as the widest tree has features; what is not needed adds 0 to feature `none`.
    """
    widest = max((len(some) for some in names), default=0)
    sizes = [table.shape[1] for table in tables]
    starts = np.array([0, *accumulate(sizes)][:-1], dtype=np.intp)
    flat_names, flat = np.full((sum(sizes), widest), none, np.intp), np.zeros((sum(sizes), widest))
    for start, some, table in zip(starts, names, tables, strict=True):
        here = slice(start, start + table.shape[1])
        flat_names[here, : len(some)] = some
        flat[here, : len(some)] = table.T
    return starts, flat_names, flat


def _tree(tree: Mapping[str, Any], questions: list[int], scale: float) -> Tree:
    features = tuple(questions[split["split_index"]] for split in tree["splits"] or ())
    return Tree(features, scale * np.array(tree["leaf_values"]), np.array(tree["leaf_weights"], dtype=np.float64))


def _features_of_splits(info: Mapping[str, Any]) -> list[int] | None:
    """Return the place of the feature that each split of a model asks, by the split's number.

    Numbers run over the borders of numeric features, the values of one-hot ones and the borders of target statistics,
    in this order. None where a statistic is of several features: it cannot be told which of them speaks.
    """
    return None if any(len(one["elements"]) > 1 for one in info.get("ctrs", ())) else list(_asked(info))


def _asked(info: Mapping[str, Any]) -> Iterator[int]:
    for feature in info.get("float_features", ()):
        yield from [feature["flat_feature_index"]] * len(feature["borders"] or ())
    categorical = {one["feature_index"]: one for one in info.get("categorical_features", ())}
    for feature in categorical.values():
        yield from [feature["flat_feature_index"]] * len(feature.get("values") or ())
    for statistic in info.get("ctrs", ()):
        feature = categorical[statistic["elements"][0]["cat_feature_index"]]
        yield from [feature["flat_feature_index"]] * len(statistic["borders"])
