"""The family extra_trees: a few shallow trees with random thresholds, which add to a blend of boosted trees."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.array_trees import ArrayTrees, joined
from pipelines.candidates.candidate import Family
from pipelines.candidates.cost_of_trees import cost_of_trees
from pipelines.candidates.portable_model import Floats
from pipelines.candidates.settings import CandidateSettings, Range
from pipelines.candidates.tree_inputs import TABLE_WIDTH, TreeInputs, inputs_of
from pipelines.candidates.tree_model import TreeModel

if TYPE_CHECKING:
    from pipelines.candidates.sample import Sample

PRIOR_SHARE = 0.05
"""Share of the overall bad rate in that of a leaf: a leaf without bads has log-odds too."""

PRIOR_ROWS = 20
"""Rows at the overall bad rate that are added to those of a level before levels are ordered by their bad rates."""


@dataclass
class ExtraTreesParameters:
    """scikit-learn's parameters under its own names."""

    n_estimators: int = 40
    """Number of trees."""
    min_samples_leaf: int = 20
    """Fewest rows of a leaf."""
    min_leaf_share: float = 0.0015
    """Smallest share of all rows in a leaf; it bounds the size of the trees, and so what scoring a row costs."""
    max_features: float = 0.7
    """Share of the features tried at a split."""


@dataclass
class ExtraTreesSettings(CandidateSettings):
    """scikit-learn's extremely randomised trees, few and shallow."""

    parameters: ExtraTreesParameters = field(default_factory=ExtraTreesParameters)
    """Parameters of the family."""


SPACE = {
    "n_estimators": Range(20, 60),
    "min_samples_leaf": Range(5, 80, log=True),
    "min_leaf_share": Range(0.001, 0.005, log=True),
    "max_features": Range(0.3, 1),
}
"""What a search tries."""

LIMITS = {
    "n_estimators": Range(1, inf),
    "min_samples_leaf": Range(1, inf),
    "min_leaf_share": Range(0, 0.5),
    "max_features": Range(1e-6, 1),
}
"""What scikit-learn accepts."""


class ExtraTreesCandidate:
    """Fits and saves extremely randomised trees; the same seed gives the same model, whatever the number of threads."""

    family = "extra_trees"

    def __init__(self, parameters: ExtraTreesParameters) -> None:
        self.parameters = parameters

    def fit(self, sample: "Sample", *, seed: int, threads: int) -> TreeModel:
        """Return a model fitted on a sample: the mean of the log-odds of the leaves that a row reaches."""
        from sklearn.ensemble import ExtraTreesClassifier

        inputs = inputs_of(sample)
        if sample.directions:  # scikit-learn has no constraints where numbers are missing
            inputs = replace(inputs, medians={name: _median(sample.columns[name]) for name in inputs.numeric})
        features, ranks = inputs.features(sample.columns, np.float32), {}
        for column, (name, levels) in enumerate(inputs.levels.items(), start=len(inputs.numeric)):
            ranks[name] = _ranks(features[column], len(levels), sample)
            features[column] = ranks[name][features[column]]
        model = ExtraTreesClassifier(
            n_estimators=self.parameters.n_estimators,
            criterion="entropy",
            min_samples_leaf=max(
                self.parameters.min_samples_leaf, ceil(self.parameters.min_leaf_share * len(sample.bad))
            ),
            max_features=self.parameters.max_features,
            monotonic_cst=[sample.directions.get(name, 0) for name in inputs.names] if sample.directions else None,
            n_jobs=threads,
            random_state=seed,
        )
        matrix = np.column_stack([feature.astype(np.float32) for feature in features])
        with np.errstate(over="ignore", invalid="ignore"):  # scikit-learn adds up columns to look for missing numbers
            model.fit(matrix, sample.bad, sample_weight=sample.weights)
        rate = float(np.average(sample.bad, weights=sample.weights))
        return TreeModel(ArrayTrees(export_trees(model, rate, inputs, ranks)), inputs)

    def save(self, scorer: TreeModel, folder: Path) -> dict[str, object]:
        """Write the model's file and return what its inputs are."""
        return scorer.save(folder)


def _median(values: Floats) -> float:
    present = values[~np.isnan(values)]
    return float(np.median(present)) if len(present) else 0.0


def _ranks(positions: NDArray[np.intp], levels: int, sample: "Sample") -> NDArray[np.intp]:
    """Return the rank of each level by its bad rate; trees split a category between levels that follow each other."""
    weights = np.ones(len(positions)) if sample.weights is None else sample.weights
    rows, bads = (np.bincount(positions, weights=one, minlength=levels) for one in (weights, weights * sample.bad))
    rates = (bads + PRIOR_ROWS * bads.sum() / rows.sum()) / (rows + PRIOR_ROWS)
    return np.argsort(np.argsort(rates, kind="stable"), kind="stable")


def export_trees(
    model: Any, rate: float, inputs: TreeInputs, ranks: Mapping[str, NDArray[np.intp]]
) -> dict[str, NDArray[Any]]:
    """Return a fitted model as plain arrays (see `ArrayTrees`); leaves have log-odds for the bad rate of their rows."""
    trees = [_tree(one.tree_, inputs, ranks) for one in model.estimators_]
    arrays = joined(trees, baseline=0.0)
    rates = (1 - PRIOR_SHARE) * arrays["value"] + PRIOR_SHARE * rate
    values = np.where(arrays["feature"] < 0, np.log(rates / (1 - rates)) / len(trees), 0.0)
    return arrays | {"value": values}


def _tree(tree: Any, inputs: TreeInputs, ranks: Mapping[str, NDArray[np.intp]]) -> dict[str, NDArray[Any]]:
    """Return one tree, with bad rates as values."""
    feature = np.where(tree.children_left < 0, -1, tree.feature).astype(np.int32)
    by_level = np.flatnonzero(feature >= len(inputs.numeric))
    table, tables = np.full(len(feature), -1), np.zeros((len(by_level), TABLE_WIDTH), bool)
    table[by_level] = np.arange(len(by_level))
    for row, node in zip(tables, by_level.tolist(), strict=True):
        rank = ranks[inputs.names[feature[node]]]
        row[: len(rank)] = rank <= tree.threshold[node]
    # scikit-learn compares single numbers with double thresholds: as with the single number at or below.
    threshold = tree.threshold.astype(np.float32)
    threshold = np.where(threshold > tree.threshold, np.nextafter(threshold, np.float32(-inf)), threshold)
    return {
        "feature": feature,
        "threshold": threshold,
        "value": tree.value[:, 0, -1],
        "count": tree.n_node_samples.astype(np.float64),
        "left": tree.children_left,
        "right": tree.children_right,
        "missing_left": tree.missing_go_to_left.astype(bool),
        "table": table,
        "tables": tables,
    }


FAMILY = Family(
    name="extra_trees",
    settings=ExtraTreesSettings,
    candidate=ExtraTreesCandidate,
    scorer=TreeModel,
    space=SPACE,
    limits=LIMITS,
    fitted_with=("scikit-learn",),
    cost=lambda scorer: cost_of_trees(scorer.trees, len(scorer.inputs.names)),
)
