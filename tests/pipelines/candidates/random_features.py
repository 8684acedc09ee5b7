"""Random features with missing numbers, levels as positions, and outcomes that depend on both."""

from dataclasses import dataclass

import numpy as np


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
