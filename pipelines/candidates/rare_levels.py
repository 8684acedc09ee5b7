"""Which levels of a category a tree model learns by themselves."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pipelines.candidates.portable_model import RARE, Levels, levels_of

if TYPE_CHECKING:
    from pipelines.candidates.sample import Sample

RARE_ROWS = 5
"""Levels of fewer rows are learnt together: what such a level did says little, and unknown levels need a level."""


def known_levels(sample: "Sample", most: int | None = None) -> Mapping[str, list[str]]:
    """Return, by categorical column, the levels of enough rows, at most so many, sorted, and `RARE` last for the rest.

    A model that learns the rest as one level scores the levels that it never saw like them: they are rare too. Without
    such a rest there is nothing to learn from, and each family says what it does instead.
    """
    return sample.once(f"known levels {most}", lambda: _known_levels(sample, most))


def _known_levels(sample: "Sample", most: int | None) -> dict[str, list[str]]:
    levels = {}
    for name in sample.categorical:
        values = sample.columns[name]
        coded = values if isinstance(values, Levels) else levels_of(values)
        counts = np.bincount(coded.codes[coded.codes >= 0], minlength=len(coded.names))
        ranked = np.argsort(-counts, kind="stable")
        kept = sorted(coded.names[code] for code in ranked[counts[ranked] >= RARE_ROWS][:most])
        levels[name] = kept if len(kept) == np.count_nonzero(counts) else [*kept, RARE]
    return levels
