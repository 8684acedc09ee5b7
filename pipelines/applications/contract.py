"""The contract of a table of applications; rows that break it go to the quarantine with the rule they break."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.applications.roles import Roles
from pipelines.credit.loan import Status, require_mature
from pipelines.errors import ConfigurationError, DataError, listed, nearest
from pipelines.reading.date_formats import numbers_for_times, parsed_times
from pipelines.reading.marked_numbers import marked_numbers
from pipelines.reading.spelling import spelled_value
from pipelines.reading.times import check_years

RULE = "broken_rule"
MOST_SHOWN = 6
"""Values of a label that a message names."""


@dataclass(frozen=True)
class CheckedTable:
    """A table after its contract: `clean` rows, and `quarantined` rows with the rule that each breaks."""

    clean: pd.DataFrame
    quarantined: pd.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """Rows in quarantine by rule."""
        return {str(rule): int(rows) for rule, rows in self.quarantined[RULE].value_counts().items()}


def apply_contract(
    table: pd.DataFrame, roles: Roles, *, max_quarantined: float, bad_is_declared: bool = True
) -> CheckedTable:
    """Return the rows that keep the contract, with numbers as doubles and categories as text, and the other rows.

    Where `bad_is_declared` is false, the label must be 0 and 1.

    Raises:
        DataError: the table is empty; a declared column is missing; an id repeats; a row is not mature; the label
            does not have exactly two values, or not the declared bad one; a time is before 1900 or after 2200; more
            than `max_quarantined` of the rows break a rule.
    """
    if not 0 <= max_quarantined <= 1:
        raise ConfigurationError(f"data.max_quarantined is {max_quarantined}; set a share from 0 to 1, such as 0.1")
    _check_columns(table, roles)
    if table.empty:
        raise DataError("the table of applications has no rows; check data.path")
    _check_time(table, roles)
    _check_ids(table, roles)
    _check_mature(table, roles)
    _check_label(table, roles, bad_is_declared=bad_is_declared)
    typed = _typed(table, roles)
    for column in roles.times:
        check_years(column, typed[column].to_numpy("datetime64[us]"))
    broken = _broken_rules(table, typed, roles)
    if len(broken) > max_quarantined * len(table):
        raise DataError(_too_many(table, broken, max_quarantined, roles.contract.reading.date_format))
    return CheckedTable(typed.drop(index=broken.index), table.loc[broken.index].assign(**{RULE: broken}))


def _check_columns(table: pd.DataFrame, roles: Roles) -> None:
    for role, columns in roles.declared.items():
        for column in columns:
            if column not in table:
                raise DataError(
                    f"data.{role} names '{column}', which is not a column of the table; "
                    f"{nearest(column, map(str, table.columns))}"
                )


def _check_ids(table: pd.DataFrame, roles: Roles) -> None:
    if roles.id is None:
        return
    ids = as_text(table[roles.id])  # as they are compared from here on
    repeated = ids[ids.duplicated(keep=False) & ids.notna()]
    if len(repeated):
        raise DataError(
            f"id column '{roles.id}' has duplicates, such as '{repeated.iloc[0]}' ({len(repeated)} rows share an id "
            "with another row); remove the duplicates or name another column in data.id"
        )


def _check_time(table: pd.DataFrame, roles: Roles) -> None:
    for column in roles.times:
        values = table[column]
        if values.dtype == object:  # numbers and some texts, or times and some texts
            values = values[values.map(lambda value: isinstance(value, float))].dropna()
        if len(values) and pd.api.types.is_numeric_dtype(values.infer_objects()):
            raise DataError(f"time column '{column}' {numbers_for_times(as_text(values).iloc[0])}")


def _check_mature(table: pd.DataFrame, roles: Roles) -> None:
    if roles.status is None:
        return
    by_name = {status.name: status for status in Status}
    statuses = as_text(table[roles.status]).fillna("nothing")
    for name in sorted(set(statuses) - set(by_name)):
        raise DataError(f"status column '{roles.status}' has the unknown status '{name}'; {nearest(name, by_name)}")
    require_mature(np.asarray([by_name[name] for name in statuses], dtype=np.int8))


def _check_label(table: pd.DataFrame, roles: Roles, *, bad_is_declared: bool) -> None:
    if roles.label is None:
        return
    counts = as_text(table[roles.label]).value_counts(sort=False).sort_values(ascending=False, kind="stable")
    values = sorted(counts.index)
    if len(values) != 2:
        shown = listed([f"{value!r} {rows:,}" for value, rows in counts.items()], MOST_SHOWN) or "all are missing"
        raise DataError(
            f"label column '{roles.label}' has {len(values)} values ({shown}) where a label has two; set data.bad to "
            "the one that means default and drop the rows of the others, or name another column in data.label"
        )
    if not bad_is_declared and values != ["0", "1"]:
        raise DataError(
            f"label column '{roles.label}' has the values {' and '.join(map(repr, values))}, and data.bad is not set; "
            f"set data.bad to the one that means default, such as data.bad={values[0]}"
        )
    if roles.bad not in values:
        raise DataError(
            f"data.bad is '{roles.bad}', which is not a value of label column '{roles.label}'; set it to "
            f"{' or '.join(map(repr, values))}, whichever means default"
        )


def _typed(table: pd.DataFrame, roles: Roles) -> pd.DataFrame:
    typed = table.copy()
    for column in roles.numeric:
        typed[column] = pd.to_numeric(table[column], errors="coerce").astype("float64")
    for column in (*roles.categorical, *roles.protected):
        typed[column] = as_text(table[column])
    for column in roles.times:
        typed[column] = dates(table[column])
    return typed


def dates(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return ISO dates and times as UTC without a zone; any other text becomes missing."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.to_datetime(values, utc=True).dt.tz_localize(None)
    texts = values.astype(object).where(values.notna(), None).map(str, na_action="ignore")
    moments = parsed_times(pa.chunked_array([pa.array(texts, pa.string())]), None)
    return pd.Series(moments, index=values.index, name=values.name)


def _broken_rules(table: pd.DataFrame, typed: pd.DataFrame, roles: Roles) -> "pd.Series[str]":
    """Return the first rule that each broken row breaks, indexed as the table."""
    with warnings.catch_warnings():
        # pandera imports pyspark where it is installed, whose pandas interface we do not use.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        import pandera.pandas as pandera

    rules: dict[object, str] = {}
    kinds = dict.fromkeys(roles.numeric, "a number") | dict.fromkeys(roles.times, "a date")
    for column, kind in kinds.items():
        for row in table.index[table[column].notna() & typed[column].isna()]:
            rules.setdefault(row, f"'{column}' is not {kind}")
    required = [column for column in (roles.id, *roles.times, roles.label, roles.decision) if column is not None]
    finite = pandera.Check(lambda values: ~np.isinf(values), name="finite")
    schema = pandera.DataFrameSchema(
        {column: pandera.Column(float, finite, nullable=True) for column in roles.numeric}
        | {column: pandera.Column(None, nullable=False) for column in required}
    )
    try:
        schema.validate(typed, lazy=True)
    except pandera.errors.SchemaErrors as error:
        for case in error.failure_cases.itertuples():
            rule = "is infinite" if case.check == "finite" else "is missing"
            rules.setdefault(case.index, f"'{case.column}' {rule}")
    return pd.Series(rules, dtype=object)


def as_text(values: "pd.Series[Any]") -> "pd.Series[str]":
    """Return categories as text with None for missing; whole numbers lose their '.0', so that 1 equals 1.0."""
    if pd.api.types.is_bool_dtype(values):
        values = values.astype(object)
    if pd.api.types.is_numeric_dtype(values) or isinstance(values.dtype, pd.StringDtype):
        codes, levels = pd.factorize(values)  # a level is spelled once
        spelled = np.array([*map(spelled_value, levels.astype(object)), None], object)
        return pd.Series(spelled[codes], index=values.index, name=values.name, dtype=object)
    text = values.astype(object).map(spelled_value, na_action="ignore")
    return text.astype(object).where(values.notna().to_numpy(), None)


def _too_many(table: pd.DataFrame, broken: "pd.Series[str]", limit: float, date_format: str | None) -> str:
    rule, rows = next(iter(broken.value_counts().items()))
    first = broken.index[broken == rule][0]
    column = str(rule)[1:].rpartition("'")[0]
    return (
        f"{len(broken)} of {len(table)} rows break the contract, more than the {limit:.0%} that data.max_quarantined "
        f"allows; most often: {rule} ({rows} rows, first {str(table.loc[first, column])!r} in row {int(first) + 1}); "
        f"{_advice(str(rule), table.loc[broken.index[broken == rule], column], date_format)}"
    )


def _advice(rule: str, values: "pd.Series[Any]", date_format: str | None) -> str:
    """Return what to do about values that break a rule."""
    if rule.endswith("is not a date"):
        if date_format is None:
            return "if its times have another format than ISO, set data.date_format, such as data.date_format=%d/%m/%Y"
        return f"data.date_format is {date_format}; correct it or the values"
    marks = marked_numbers(values.astype(str).unique()) if rule.endswith("is not a number") else None
    if marks is not None:
        return marks.remedy
    return "correct the column, change its role or raise data.max_quarantined"
