"""Counts the values of categorical columns that the model did not learn, and refuses a table that is full of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.candidates.portable_model import Columns, Levels
from pipelines.errors import DataError
from pipelines.score_log.receipts import Receipt, added

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
    receipts: Sequence[Receipt], rows: int, learnt: Mapping[str, Collection[str]], most: float | None
) -> None:
    """Raise DataError where the parts of an input have more unknown values in a column than a share `most` of `rows`.

    None allows any share, and fewer than FEW_ROWS rows are never refused.
    """
    for name, unknown in added([one.unknown for one in receipts]).items():
        if most is not None and unknown >= FEW_ROWS and unknown > most * rows:
            examples = list(dict.fromkeys(text for one in receipts for text in one.unknown_examples.get(name, ())))
            raise DataError(
                f"column '{name}' has values that the model does not know in {unknown:,} of {rows:,} rows (such as "
                f"{_quoted(examples[:MOST_NAMED])}; it knows {_quoted(sorted(learnt[name]))}), more than "
                f"data.max_unknown={most:g} allows; correct how the values are written, or set data.max_unknown=null "
                "to score anyway"
            )


def _unknown(levels: Levels, learnt: frozenset[str]) -> UnknownLevels:
    counts = np.bincount(levels.codes[levels.codes >= 0], minlength=len(levels.names))
    rows = {name: int(count) for name, count in zip(levels.names, counts, strict=True) if count and name not in learnt}
    return UnknownLevels(sum(rows.values()), sorted(rows, key=lambda name: (-rows[name], name))[:MOST_NAMED])


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:MOST_NAMED]) + (", ..." if len(names) > MOST_NAMED else "")
