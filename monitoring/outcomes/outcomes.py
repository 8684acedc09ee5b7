"""What became of applications, by one definition of bad, as far as it is known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.credit.loan import BAD, GOOD, UNLABELLED
from pipelines.errors import DataError

Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of applications by a definition, such as dpd30_at_3_mob.

    `ids` are application ids as text, `bad` GOOD, BAD or UNLABELLED, both of shape (n,). An outcome is known when the
    performance window has closed, whatever happened before: a table that names the bad loans as they turn bad, and the
    good ones later, would make every vintage look bad at first.
    """

    definition: str
    ids: pa.StringArray
    bad: Codes

    def of(self, application_ids: pa.StringArray) -> Codes:
        """Return the outcome of each application, UNLABELLED for those that are not there."""
        place = pc.index_in(application_ids, value_set=self.ids)
        found = np.full(len(application_ids), UNLABELLED, np.int8)
        is_there = place.is_valid().to_numpy(zero_copy_only=False)
        found[is_there] = self.bad[place.drop_null().to_numpy()]
        return found


def outcomes_of_table(
    table: pd.DataFrame | pa.Table, definition: str, *, identity: str = "application_id", bad: str = "bad"
) -> Outcomes:
    """Return the outcomes of a flat table: an id and whether it was bad (1, true), empty where that is not known yet.

    Raises:
        DataError: a column is not there; an application is there twice; an outcome is neither 0 nor 1.
    """
    found = pa.Table.from_pandas(table, preserve_index=False) if isinstance(table, pd.DataFrame) else table
    for column in (identity, bad):
        if column not in found.column_names:
            received = ", ".join(found.column_names)
            raise DataError(f"outcomes need a column '{column}', received {received}; name the column that holds it")
    ids = as_ids(found[identity])
    if len(pc.unique(ids)) < len(ids):
        twice = pc.value_counts(ids).to_pylist()
        name = next(one["values"] for one in twice if one["counts"] > 1)
        raise DataError(f"each application has one outcome, received '{name}' more than once; keep the latest")
    return Outcomes(definition, ids, _codes(found[bad], bad))


def as_ids(column: pa.ChunkedArray) -> pa.StringArray:
    """Return ids as text."""
    combined = column.cast(pa.string()).combine_chunks()
    return combined.combine_chunks() if isinstance(combined, pa.ChunkedArray) else combined


def _codes(column: pa.ChunkedArray, name: str) -> Codes:
    numbers = np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
    known = ~np.isnan(numbers)
    wrong = numbers[known & (numbers != GOOD) & (numbers != BAD)]
    if len(wrong):
        raise DataError(
            f"an outcome is {BAD} (bad), {GOOD} (good) or empty, received {wrong[0]:g} in '{name}'; map the values"
        )
    return np.where(known, np.nan_to_num(numbers), UNLABELLED).astype(np.int8)
