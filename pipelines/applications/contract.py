"""The contract of a table of applications; rows that break it go to the quarantine with the rule they break."""

import warnings
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from pipelines.applications.roles import Roles
from pipelines.credit.loan import Status, require_mature
from pipelines.errors import ConfigurationError, DataError, nearest
from pipelines.reading.times import check_years
from pipelines.reading.values import spelled_number, spelled_time

RULE = "broken_rule"


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
        raise DataError(_too_many(table, broken, max_quarantined))
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
        if pd.api.types.is_numeric_dtype(table[column]):
            raise DataError(
                f"time column '{column}' has numbers (first {as_text(table[column]).iloc[0]}); write times as dates or "
                "as text such as 2026-10-31"
            )


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
    values = sorted(as_text(table[roles.label]).dropna().unique())
    if len(values) != 2:
        shown = ", ".join(map(repr, values[:6])) + (", ..." if len(values) > 6 else "")
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
    if not pd.api.types.is_datetime64_any_dtype(values):
        values = values.astype(object).where(values.notna(), None).map(str, na_action="ignore")
    return pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)


def _broken_rules(table: pd.DataFrame, typed: pd.DataFrame, roles: Roles) -> "pd.Series[str]":
    """Return the first rule that each broken row breaks, indexed as the table."""
    with warnings.catch_warnings():
        # pandera imports pyspark where it is installed, whose pandas interface we do not use.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        import pandera.pandas as pa

    rules: dict[object, str] = {}
    kinds = dict.fromkeys(roles.numeric, "a number") | dict.fromkeys(roles.times, "a date")
    for column, kind in kinds.items():
        for row in table.index[table[column].notna() & typed[column].isna()]:
            rules.setdefault(row, f"'{column}' is not {kind}")
    required = [column for column in (roles.id, *roles.times, roles.label, roles.decision) if column is not None]
    finite = pa.Check(lambda values: ~np.isinf(values), name="finite")
    schema = pa.DataFrameSchema(
        {column: pa.Column(float, finite, nullable=True) for column in roles.numeric}
        | {column: pa.Column(None, nullable=False) for column in required}
    )
    try:
        schema.validate(typed, lazy=True)
    except pa.errors.SchemaErrors as error:
        for case in error.failure_cases.itertuples():
            rule = "is infinite" if case.check == "finite" else "is missing"
            rules.setdefault(case.index, f"'{case.column}' {rule}")
    return pd.Series(rules, dtype=object)


def as_text(values: "pd.Series[Any]") -> "pd.Series[str]":
    """Return categories as text with None for missing; whole numbers lose their '.0', so that 1 equals 1.0."""
    if pd.api.types.is_bool_dtype(values):
        values = values.astype(object)
    if pd.api.types.is_float_dtype(values):
        text = values.map(spelled_number, na_action="ignore")
    else:
        text = values.astype(object).map(_as_text, na_action="ignore")
    return text.astype(object).where(values.notna().to_numpy(), None)


def _as_text(value: object) -> str:
    if isinstance(value, float):
        return spelled_number(value)
    return spelled_time(value) if isinstance(value, date) else str(value)


def _too_many(table: pd.DataFrame, broken: "pd.Series[str]", limit: float) -> str:
    rule, rows = next(iter(broken.value_counts().items()))
    first = broken.index[broken == rule][0]
    column = str(rule)[1:].rpartition("'")[0]
    advice = "correct the column, change its role or raise data.max_quarantined"
    if str(rule).endswith("is not a date"):
        advice = "if its times have another format than ISO, set data.date_format, such as data.date_format=%d/%m/%Y"
    return (
        f"{len(broken)} of {len(table)} rows break the contract, more than the {limit:.0%} that data.max_quarantined "
        f"allows; most often: {rule} ({rows} rows, first {str(table.loc[first, column])!r}); {advice}"
    )
