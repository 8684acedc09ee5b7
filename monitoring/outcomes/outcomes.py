"""The known outcomes of applications by one definition of bad."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.credit.loan import BAD, GOOD, UNLABELLED
from pipelines.errors import DataError
from pipelines.reading.reading import Reading
from pipelines.reading.values import identities, numbers

Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of applications by a definition, such as dpd30_at_3_mob.

    `ids` are application ids as text, `bad` is GOOD, BAD or UNLABELLED, both of shape (n,). An outcome is known once
    the performance window has closed, whatever happened before: a table that lists bad loans as soon as they are bad,
    and good ones later, makes every vintage look bad at first.

    With `of_everyone` all who have an outcome are compared with their PDs, whether the policy approved them or not.
    """

    definition: str
    ids: pa.StringArray
    bad: Codes
    of_everyone: bool = False

    def of(self, application_ids: pa.StringArray) -> Codes:
        """Return the outcome of each application, UNLABELLED for ids without one."""
        index = pc.index_in(application_ids, value_set=self.ids)
        codes = np.full(len(application_ids), UNLABELLED, np.int8)
        codes[index.is_valid().to_numpy(zero_copy_only=False)] = self.bad[index.drop_null().to_numpy()]
        return codes


def outcomes_of_table(
    table: pd.DataFrame | pa.Table,
    definition: str,
    *,
    identity: str = "application_id",
    bad: str = "bad",
    of_everyone: bool = False,
) -> Outcomes:
    """Return the outcomes of a flat table: an id and whether it was bad (1, true), empty where unknown.

    Raises:
        DataError: a column is missing; an application occurs twice; an outcome is neither 0 nor 1.
    """
    rows = pa.Table.from_pandas(table, preserve_index=False) if isinstance(table, pd.DataFrame) else table
    for column, setting in ((identity, "outcomes.id"), (bad, "outcomes.bad")):
        if column not in rows.column_names:
            columns = ", ".join(rows.column_names)
            raise DataError(f"the table of outcomes has no column '{column}' (it has {columns}); set {setting}")
    ids = as_ids(rows[identity])
    if len(pc.unique(ids)) < len(ids):
        counts = pc.value_counts(ids).to_pylist()
        name = next(one["values"] for one in counts if one["counts"] > 1)
        raise DataError(f"application '{name}' has more than one outcome; keep only the latest")
    return Outcomes(definition, ids, _codes(rows[bad], bad), of_everyone)


def as_ids(column: pa.ChunkedArray) -> pa.StringArray:
    """Return ids as text, exactly as they are written."""
    return identities(column)


def _codes(column: pa.ChunkedArray, name: str) -> Codes:
    values, broken = numbers(column, Reading(), flags=True)
    known = ~np.isnan(values)
    wrong = known & (values != GOOD) & (values != BAD)
    if broken is not None:
        wrong |= broken
    if wrong.any():
        value = column.filter(pa.array(wrong))[0].as_py()
        raise DataError(
            f"outcome column '{name}' has the value {value}; use {BAD} (bad), {GOOD} (good) or an empty value"
        )
    return np.where(known, np.nan_to_num(values), UNLABELLED).astype(np.int8)
