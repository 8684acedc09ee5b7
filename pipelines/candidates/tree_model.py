"""The scorer of trees that LightGBM and XGBoost learn: arrays of trees, and how columns become their features."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pipelines.candidates.array_trees import ArrayTrees
from pipelines.candidates.portable_model import Columns, Contributions, Floats
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
        return self.trees.log_odds(self.inputs.features(columns, self.trees.arrays["threshold"].dtype.type))

    def contributions(self, columns: Columns) -> Contributions:
        """Return exact Shapley values of the trees (see `ArrayTrees`)."""
        features = self.inputs.features(columns, self.trees.arrays["threshold"].dtype.type)
        base, added = self.trees.contributions(features)
        return base, dict(zip(self.inputs.names, added, strict=True))
