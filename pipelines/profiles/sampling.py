"""A random sample of bounded size from the rows of a table, without replacement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.profiles.passes import PartOfTable, Pass, ScoredTable

SEED = 0


@dataclass(frozen=True)
class SampledRows:
    """The numbers of the rows that are kept, sorted; None keeps all."""

    numbers: NDArray[np.int64] | None

    def of_part(self, part: PartOfTable, rows: pa.Table) -> pa.Table:
        """Return a copy of the rows of a part that are kept: a slice would keep all of them in memory."""
        if self.numbers is None:
            return rows
        low, high = np.searchsorted(self.numbers, [part.first, part.first + part.part.rows])
        return rows.take(self.numbers[low:high] - part.first) if low < high else rows.schema.empty_table()


def sample_rows(rows: int, most: int) -> SampledRows:
    """Return which of `rows` rows are kept: at most `most`, drawn without replacement, the same in each run.

    >>> sample_rows(10**9, 3).numbers.shape, sample_rows(3, 3).numbers
    ((3,), None)
    """
    if rows <= most:
        return SampledRows(None)
    chosen = np.random.default_rng(SEED).choice(rows, most, replace=False, shuffle=False)
    return SampledRows(np.sort(chosen))


def sample_table(table: ScoredTable, columns: Sequence[str], most: int, one_pass: Pass) -> pa.Table:
    """Return at most so many rows of a table, in a pass of their own."""
    look = partial(_sampled, sample_rows(table.rows, most))
    return joined(one_pass(table, columns, [], look), columns)


def thinned(sample: pa.Table, most: int) -> pa.Table:
    """Return at most so many rows of a sample."""
    kept = sample_rows(len(sample), most).numbers
    return sample if kept is None else sample.take(kept)


def _sampled(rows: SampledRows, part: PartOfTable, table: pa.Table) -> tuple[int, pa.Table]:
    return part.first, rows.of_part(part, table)


def joined(samples: Iterable[tuple[int, pa.Table]], columns: Sequence[str]) -> pa.Table:
    """Return the sampled rows of all parts, in the order of the table, as plain values; a lacking column is missing."""
    some = [one for one in samples if len(one[1])]
    samples_in_order = [_plain(table, columns) for _, table in sorted(some, key=lambda one: one[0])]
    if not samples_in_order:
        return pa.table({name: pa.nulls(0) for name in columns})
    return pa.concat_tables(samples_in_order, promote_options="permissive")


def _plain(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    held = {name: table[name] for name in columns if name in table.column_names}
    plain = {
        name: column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for name, column in held.items()
    }
    return pa.table(plain) if plain else pa.table({"": pa.nulls(len(table))}).select([])
