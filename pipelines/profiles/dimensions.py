"""The dimensions of segments: columns by whose values decisions are counted too, numbers cut into bands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.applications.segments import check_bands
from pipelines.applications.settings import SegmentSettings
from pipelines.candidates.portable_model import Levels
from pipelines.profiles.column_names import profile_column
from pipelines.profiles.frozen_bins import FrozenBins, distinct_numbers

QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Dimension:
    """A dimension of segments: a column, and for numbers the `edges` between bands.

    A number at an edge belongs to the band above it. Without `edges` each value is a segment.
    """

    name: str
    edges: tuple[float, ...] | None = None

    @cached_property
    def bands(self) -> tuple[str, ...]:
        """The names of the bands.

        >>> Dimension("tenure_days", (30.0, 365.0)).bands
        ('under 30', '30 to 365', '365 or more')
        """
        if not self.edges:
            return ("any",)
        texts = distinct_numbers(self.edges)
        between = (f"{low} to {high}" for low, high in pairwise(texts))
        return (f"under {texts[0]}", *between, f"{texts[-1]} or more")

    def cut(self, numbers: NDArray[Any]) -> Levels:
        """Return the bands of numbers, shape (n,); NaN has none."""
        codes = np.searchsorted(np.asarray(self.edges), numbers, side="right").astype(np.int32)
        codes[np.isnan(numbers)] = -1
        return Levels(codes, list(self.bands))


def segment_name(dimension: str, value: str) -> str:
    """Return the name of a segment in profiles, reports and the score log."""
    return f"{dimension}={value}"


def bare_name(segment: str) -> str:
    """Return the value alone, which is how versions before named dimensions named a segment."""
    return segment.partition("=")[2]


def dimensions_of(settings: SegmentSettings, bins: Sequence[FrozenBins], key: str = "data") -> tuple[Dimension, ...]:
    """Return the dimensions that are configured.

    Numbers have the declared bands. Without these, a number that the model's reference profile has bins of is cut at
    three of their edges, near its quartiles, so that every month has the same bands. `key` is the configuration group.

    Raises:
        ConfigurationError: bands of a column that is no segment, or bands that do not ascend.
    """
    names = list(dict.fromkeys(settings.segments))
    check_bands(settings, key)
    return tuple(Dimension(name, _edges(name, settings.segment_bands, bins)) for name in names)


def _edges(name: str, bands: Mapping[str, Sequence[float]], bins: Sequence[FrozenBins]) -> tuple[float, ...] | None:
    if name in bands:
        return tuple(map(float, bands[name]))
    edges = next((one.edges for one in bins if one.column == profile_column(name)), None)
    if edges is None:
        return None
    return tuple(sorted({edges[min(int(share * len(edges)), len(edges) - 1)] for share in QUARTERS if edges}))
