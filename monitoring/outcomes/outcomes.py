"""The known outcomes of applications by one definition of bad."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.outcomes.label import Label, declared_meanings
from pipelines.credit.loan import UNLABELLED
from pipelines.errors import DataError
from pipelines.reading.column_types import column_type
from pipelines.reading.reading import Reading
from pipelines.reading.texts import plain
from pipelines.reading.values import Kind, identities, spelled

Codes = NDArray[np.int8]


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of applications by a definition, such as dpd30_at_3_mob.

    `ids` are application ids as text, `bad` is GOOD, BAD or UNLABELLED, both of shape (n,). An outcome is known once
    the performance window has closed, whatever happened before: a table that lists bad loans as soon as they are bad,
    and good ones later, makes every vintage look bad at first.

    With `of_everyone` all who have an outcome are compared with their PDs, whether the policy approved them or not.
    `is_mature` says that windows have closed; a flat table without a performance window leaves that open.
    `open_from` is the first period with an open window, whose outcomes count as unknown. Without `is_of_model` the
    definition is another one than the model's, so that the PDs are not what to expect of it.
    """

    definition: str
    ids: pa.StringArray
    bad: Codes
    of_everyone: bool = False
    is_mature: bool = True
    open_from: str | None = None
    is_of_model: bool = True

    def of(self, application_ids: pa.StringArray, period: str = "") -> Codes:
        """Return the outcome of each application of a period, UNLABELLED for ids without one."""
        codes = np.full(len(application_ids), UNLABELLED, np.int8)
        if self.open_from is not None and period >= self.open_from:
            return codes
        index = pc.index_in(application_ids, value_set=self.ids)
        codes[index.is_valid().to_numpy(zero_copy_only=False)] = self.bad[index.drop_null().to_numpy()]
        return codes


@dataclass(frozen=True)
class OutcomeColumns:
    """The columns of a table of outcomes, how they are read, and the value that means bad where it is declared."""

    identity: str = "application_id"
    bad: str = "bad"
    bad_value: str | None = None
    label: Label = field(default_factory=Label)
    reading: Reading = field(default_factory=Reading)


def outcomes_of_table(
    table: pd.DataFrame | pa.Table,
    definition: str,
    columns: OutcomeColumns | None = None,
    *,
    of_everyone: bool = False,
) -> Outcomes:
    """Return the outcomes of a flat table: an id and whether it was bad, empty where unknown.

    Equal rows count once.

    Raises:
        DataError: a column or an id is missing; an application has two outcomes; a value has no meaning (see `Label`).
    """
    columns = columns or OutcomeColumns()
    rows = pa.Table.from_pandas(table, preserve_index=False) if isinstance(table, pd.DataFrame) else table
    for column, setting in ((columns.identity, "outcomes.id"), (columns.bad, "outcomes.bad")):
        if column not in rows.column_names:
            names = ", ".join(rows.column_names)
            raise DataError(f"the table of outcomes has no column '{column}' (it has {names}); set {setting}")
    ids = as_ids(rows[columns.identity])
    if ids.null_count:
        raise DataError(
            f"{ids.null_count:,} of {len(ids):,} rows of the table of outcomes have no id in '{columns.identity}'; "
            "leave them out, or set outcomes.id to the column of application ids"
        )
    ids, codes = _once(ids, _codes(rows[columns.bad], columns))
    return Outcomes(definition, ids, codes, of_everyone)


def as_ids(column: pa.ChunkedArray) -> pa.StringArray:
    """Return ids as text, exactly as they are written."""
    return identities(column)


def _once(ids: pa.StringArray, codes: Codes) -> tuple[pa.StringArray, Codes]:
    """Return ids and outcomes without rows that are equal to another one."""
    distinct = pa.table({"id": ids, "code": codes}).group_by(["id", "code"], use_threads=False).aggregate([])
    names = distinct["id"].combine_chunks()
    if len(pc.unique(names)) < len(names):
        name = next(one["values"] for one in pc.value_counts(names).to_pylist() if one["counts"] > 1)
        raise DataError(f"application '{name}' has more than one outcome; keep only the latest")
    return names, distinct["code"].to_numpy()


def _codes(column: pa.ChunkedArray, columns: OutcomeColumns) -> Codes:
    kind = column_type(column, columns.reading).kind
    if kind in (Kind.time, Kind.nested):
        raise DataError(f"outcome column '{columns.bad}' has {kind.value} values; name another column in outcomes.bad")
    encoded = plain(column).dictionary_encode().unify_dictionaries().combine_chunks()
    words = spelled(encoded.dictionary, kind, columns.reading)
    known = {one for one in words if one is not None}
    if columns.bad_value is None:
        meanings = columns.label.meanings(known, columns.bad)
    else:
        bad = spelled(pa.array([columns.bad_value]), kind, Reading())[0] or columns.bad_value
        meanings = declared_meanings(known, columns.bad, bad)
    codes = np.array([*(UNLABELLED if one is None else meanings[one] for one in words), UNLABELLED], np.int8)
    return np.asarray(codes[encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)])
