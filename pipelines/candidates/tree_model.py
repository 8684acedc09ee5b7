"""The scorer of trees that LightGBM and XGBoost learn: arrays of trees, and how columns become their features."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from pipelines.candidates.array_trees import ArrayTrees
from pipelines.candidates.joint_nodes import TreeSet
from pipelines.candidates.joint_trees import JointTrees
from pipelines.candidates.portable_model import RARE, Columns, Contributions, Floats
from pipelines.candidates.tree_inputs import TreeInputs


class TreeModel:
    """Trees as plain arrays; numbers are compared in the precision of the thresholds."""

    def __init__(self, trees: ArrayTrees, inputs: TreeInputs) -> None:
        self.trees, self.inputs = trees, inputs

    @classmethod
    def load(cls, folder: Path, card: Mapping[str, Any], threads: int) -> Self:  # noqa: ARG003
        """Load the arrays."""
        return cls(ArrayTrees.load(folder / "trees.npz"), TreeInputs.of_card(card))

    def save(self, folder: Path) -> dict[str, object]:
        """Write the arrays and return what the model's card must add."""
        self.trees.save(folder / "trees.npz")
        return self.inputs.record()

    def log_odds(self, columns: Columns) -> Floats:
        """Return the sum over the trees."""
        return np.asarray(self._joint.log_odds(columns)[0])

    @property
    def tree_set(self) -> TreeSet:
        """The trees and how columns become their features."""
        levels = {name: {level: place for place, level in enumerate(one)} for name, one in self.inputs.levels.items()}
        unknown = {name: positions.get(RARE, 0) for name, positions in levels.items()}
        return TreeSet(self.trees, self.inputs.numeric, levels, unknown, self.inputs.medians)

    @cached_property
    def _joint(self) -> JointTrees:
        return JointTrees([self.tree_set])

    def contributions(self, columns: Columns) -> Contributions:
        """Return exact Shapley values of the trees (see `ArrayTrees`)."""
        features = self.inputs.features(columns, self.trees.arrays["threshold"].dtype.type)
        base, added = self.trees.contributions(features)
        return base, dict(zip(self.inputs.names, added, strict=True))
