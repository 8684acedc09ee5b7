"""How columns become the matrix of numbers that LightGBM and XGBoost take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.portable_model import LARGEST, RARE, Columns, levels_of, map_levels
from pipelines.candidates.rare_levels import known_levels

if TYPE_CHECKING:
    from pipelines.candidates.sample import Sample

MAX_LEVELS = 250
"""Most levels of a column that are learnt by themselves; LightGBM counts them in bins, of which it has 255."""

TABLE_WIDTH = MAX_LEVELS + 2
"""Positions of levels in a table: the rare and the missing ones come after those that are learnt by themselves."""


@dataclass(frozen=True)
class TreeInputs:
    """The columns of a model, and what replaces values that it did not learn from.

    Attributes:
        numeric: The numeric columns.
        levels: By categorical column, the levels that were learnt: the most frequent first, `RARE` and None, which is
            missing, last. A level that was not learnt counts as `RARE`, or without it as the most frequent one.
        medians: Of the numeric columns that were never missing; a missing value counts as the median.
    """

    numeric: Sequence[str]
    levels: Mapping[str, Sequence[str | None]]
    medians: Mapping[str, float]

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> Self:
        """Return the inputs that a model's card records."""
        return cls(card["numeric"], {name: card["levels"][name] for name in card["categorical"]}, card["medians"])

    def record(self) -> dict[str, object]:
        """Return what a model's card must add."""
        return {"levels": self.levels, "medians": self.medians}

    @property
    def names(self) -> list[str]:
        """The columns in the order of the matrix: numeric ones first."""
        return [*self.numeric, *self.levels]

    def features(self, columns: Columns, precision: type[np.floating[Any]]) -> list[NDArray[Any]]:
        """Return the columns in the order of `names`: numbers with NaN for missing, and positions of levels."""
        features = []
        for name in self.numeric:
            values = columns[name]
            numbers = (np.clip(values, -LARGEST, LARGEST) if precision is np.float32 else values).astype(precision)
            if name in self.medians:
                numbers[np.isnan(numbers)] = self.medians[name]
            features.append(numbers)
        for name, levels in self.levels.items():
            positions: dict[str | None, float] = {level: position for position, level in enumerate(levels)}
            features.append(map_levels(positions, positions.get(RARE, 0), columns[name]).astype(np.intp))
        return features

    def matrix(self, columns: Columns, precision: type[np.floating[Any]]) -> NDArray[Any]:
        """Return the features as the columns of a matrix."""
        return np.column_stack([feature.astype(precision) for feature in self.features(columns, precision)])


def inputs_of(sample: "Sample") -> TreeInputs:
    """Return the inputs of a model that learns from a sample."""
    return sample.once("tree inputs", lambda: _inputs_of(sample))


def _inputs_of(sample: "Sample") -> TreeInputs:
    numbers = {name: sample.columns[name] for name in sample.numeric}
    medians = {name: float(np.median(values)) for name, values in numbers.items() if not np.isnan(values).any()}
    levels = {name: _ordered(sample.columns[name], kept) for name, kept in known_levels(sample, MAX_LEVELS).items()}
    return TreeInputs(sample.numeric, levels, medians)


def _ordered(values: Any, kept: Sequence[str]) -> list[str | None]:
    """Return levels by their number of rows, `RARE` after them, and None at the end where a value is missing."""
    coded = values if hasattr(values, "codes") else levels_of(values)
    counts = dict(zip(coded.names, np.bincount(coded.codes[coded.codes >= 0], minlength=len(coded.names)), strict=True))
    frequent = sorted((level for level in kept if level != RARE), key=lambda level: -counts[level])
    return [*frequent, *([RARE] if RARE in kept else []), *([None] if (coded.codes < 0).any() else [])]
