"""The bins in which a feature is described: those of a scorecard, and for other models quantiles or frequent levels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.families.scorecard import Binning, Scorecard
from pipelines.profiles.frozen_bins import FrozenBins

MISSING, MISSING_OR_NEW = "missing", "missing or new"


@dataclass(frozen=True)
class FeatureBins:
    """The bins of one feature, and for a scorecard the coefficient and weight of evidence of each."""

    binning: Binning
    coefficient: float | None = None
    weights: tuple[float, ...] | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the bins; the first is that of missing values, and of levels that development does not have."""
        return self.binning.labels

    def count(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Return how many values fall into each bin, shape (bins,)."""
        return np.asarray(np.bincount(self.binning.place(values), minlength=len(self.labels)), np.int64)


def bins_of(name: str, values: NDArray[Any], *, is_number: bool) -> FeatureBins:
    """Return bins frozen on the values of development, shape (n,): numbers, or text and None."""
    if is_number:
        frozen = FrozenBins.of_numbers(name, values)
        labels = (MISSING, *frozen.labels[2:-1])
        return FeatureBins(Binning(name, labels, frozen.edges, None))
    frozen = FrozenBins.of_levels(name, values)
    codes = {level: 1 + place for place, level in enumerate(frozen.levels)}
    other = ("other",) if frozen.rare else ()
    codes |= dict.fromkeys(frozen.rare, 1 + len(frozen.levels))
    return FeatureBins(Binning(name, (MISSING_OR_NEW, *frozen.levels, *other), None, codes))


def bins_of_scorecard(scorecard: Scorecard) -> dict[str, FeatureBins]:
    """Return the bins of each feature that a scorecard uses."""
    return {str(column["name"]): _of_column(column) for column in scorecard.table["columns"]}


def _of_column(column: Mapping[str, Any]) -> FeatureBins:
    edges = tuple(map(float, column["edges"])) if "edges" in column else None
    binning = Binning(column["name"], tuple(column["labels"]), edges, column.get("levels"))
    return FeatureBins(binning, float(column["coefficient"]), tuple(column["weights"]))
