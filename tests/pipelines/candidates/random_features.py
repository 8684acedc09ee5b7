"""Random features with missing numbers, levels as positions, and outcomes that depend on both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.candidates.array_trees import ArrayTrees
from pipelines.candidates.joint_nodes import TreeSet
from pipelines.candidates.joint_trees import JointTrees
from pipelines.candidates.portable_model import Levels


@dataclass(frozen=True)
class Features:
    """Numbers first, then positions of levels."""

    matrix: np.ndarray
    numbers: int

    @property
    def positions_of_levels(self) -> list[int]:
        """The columns that are positions of levels."""
        return list(range(self.numbers, self.matrix.shape[1]))

    @property
    def inputs(self) -> list[np.ndarray]:
        """The columns; levels as integers."""
        return [*self.matrix.T[: self.numbers], *self.matrix.T[self.numbers :].astype(np.intp)]


def random_features(
    numbers: int, levels: int, seed: int, missing: float = 0.1, rows: int = 900
) -> tuple[Features, np.ndarray]:
    """Return features and outcomes; levels have 40 positions."""
    generator = np.random.default_rng(seed)
    quantities, positions = generator.normal(size=(rows, numbers)), generator.integers(0, 40, (rows, levels))
    score = np.sin(2 * quantities).sum(axis=1) + np.cos(positions).sum(axis=1) + generator.normal(size=rows)
    quantities[generator.random(quantities.shape) < missing] = np.nan
    return Features(np.hstack([quantities, positions]), numbers), (score > np.median(score)).astype(np.int8)


def log_odds_of(trees: ArrayTrees, inputs: Sequence[np.ndarray]) -> np.ndarray:
    """Return the log-odds of trees for features as they have them: numbers, and positions of 40 levels."""
    names = [f"x{place}" for place in range(len(inputs))]
    texts = [name for name, one in zip(names, inputs, strict=True) if one.dtype.kind == "i"]
    known = [str(position) for position in range(40)]
    columns: dict[str, Any] = dict(zip(names, inputs, strict=True))
    columns |= {name: Levels(columns[name], known) for name in texts}
    positions: dict[str | None, int] = {level: place for place, level in enumerate(known)}
    numeric = [name for name in names if name not in texts]
    own = TreeSet(trees, numeric, dict.fromkeys(texts, positions), dict.fromkeys(texts, 0), medians={})
    return JointTrees([own]).log_odds(columns)[0]
