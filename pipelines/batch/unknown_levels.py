"""Counts the values of categorical columns that the model did not learn, and refuses a table that is full of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.candidates.portable_model import Columns, Levels
from pipelines.errors import DataError

WARNED_FROM = 0.05
"""Share of the values of a column from which unknown ones are named in the summary."""

FEW_ROWS = 5
"""Fewer rows with unknown values are scored whatever their share: one applicant from a new city is no misspelling."""

MOST_NAMED = 3


@dataclass(frozen=True)
class UnknownLevels:
    """Rows of a column whose level the model does not know, and some of these levels, the most frequent first."""

    rows: int
    examples: Sequence[str]


def unknown_levels(columns: Columns, learnt: Mapping[str, Collection[str]]) -> dict[str, UnknownLevels]:
    """Return the unknown levels of each column that has some, given the levels that the model learnt, by column."""
    unknown = {name: _unknown(columns[name], frozenset(levels)) for name, levels in learnt.items()}
    return {name: levels for name, levels in unknown.items() if levels.rows}


def check_unknown(
    unknown: Mapping[str, UnknownLevels], rows: int, learnt: Mapping[str, Collection[str]], most: float | None
) -> None:
    """Raise DataError where a larger share of a column's rows is unknown than `most`; None allows any.

    Fewer than FEW_ROWS rows are never refused.
    """
    for name, levels in unknown.items():
        if most is not None and levels.rows >= FEW_ROWS and levels.rows > most * rows:
            raise DataError(
                f"column '{name}' has values that the model does not know in {levels.rows:,} of {rows:,} rows (such as "
                f"{_quoted(levels.examples)}; it knows {_quoted(sorted(learnt[name]))}), more than data.max_unknown="
                f"{most:g} allows; correct how the values are written, or set data.max_unknown=null to score anyway"
            )


def _unknown(levels: Levels, learnt: frozenset[str]) -> UnknownLevels:
    counts = np.bincount(levels.codes[levels.codes >= 0], minlength=len(levels.names))
    rows = {name: int(count) for name, count in zip(levels.names, counts, strict=True) if count and name not in learnt}
    return UnknownLevels(sum(rows.values()), sorted(rows, key=lambda name: (-rows[name], name))[:MOST_NAMED])


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:MOST_NAMED]) + (", ..." if len(names) > MOST_NAMED else "")
