"""The contract of a table of applications: rows that break it are set aside with the rule they broke."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipelines.applications.roles import Roles
from pipelines.credit.loan import Status, require_mature
from pipelines.errors import ConfigurationError, DataError, nearest

RULE = "broken_rule"


@dataclass(frozen=True)
class Sorted:
    """A table after its contract: `clean` rows, and `quarantined` rows with the rule that each broke."""

    clean: pd.DataFrame
    quarantined: pd.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """Rows in quarantine by rule."""
        return {str(rule): int(rows) for rule, rows in self.quarantined[RULE].value_counts().items()}


def apply_contract(table: pd.DataFrame, roles: Roles, *, max_quarantined: float) -> Sorted:
    """Return the rows that keep the contract, numbers as doubles and categories as text, and those that do not.

    Raises:
        DataError: the table is empty; a declared column is missing; an id repeats; a label is taken of a row that is
            not mature; the label does not hold exactly two values, or not the declared bad one; more than
            `max_quarantined` of the rows break a rule.
    """
    if not 0 <= max_quarantined <= 1:
        raise ConfigurationError(f"data.max_quarantined is a share, received {max_quarantined}; use for example 0.1")
    _check_columns(table, roles)
    if table.empty:
        raise DataError("a table of applications needs rows, received none; check data.path")
    _check_time(table, roles)
    _check_ids(table, roles)
    _check_mature(table, roles)
    _check_label(table, roles)
    typed = _typed(table, roles)
    broken = _broken_rules(table, typed, roles)
    if len(broken) > max_quarantined * len(table):
        raise DataError(_too_many(table, broken, max_quarantined))
    return Sorted(typed.drop(index=broken.index), table.loc[broken.index].assign(**{RULE: broken}))


def _check_columns(table: pd.DataFrame, roles: Roles) -> None:
    for role, columns in roles.declared.items():
        for column in columns:
            if column not in table:
                raise DataError(
                    f"data.{role} must name a column of the table, received '{column}'; "
                    f"{nearest(column, map(str, table.columns))}"
                )


def _check_ids(table: pd.DataFrame, roles: Roles) -> None:
    if roles.id is None:
        return
    spelled = as_text(table[roles.id])  # as they are compared from here on
    repeated = spelled[spelled.duplicated(keep=False) & spelled.notna()]
    if len(repeated):
        raise DataError(
            f"an id must name one application, '{repeated.iloc[0]}' in column '{roles.id}' repeats "
            f"({len(repeated)} rows share an id with another); remove the duplicates or name another data.id"
        )


def _check_time(table: pd.DataFrame, roles: Roles) -> None:
    for column in roles.times:
        if pd.api.types.is_numeric_dtype(table[column]):
            raise DataError(
                f"a time must be a date or a text such as 2026-10-31, column '{column}' holds numbers "
                f"(first {table[column].iloc[0]}); write it as dates"
            )


def _check_mature(table: pd.DataFrame, roles: Roles) -> None:
    if roles.status is None:
        return
    known = {status.name: status for status in Status}
    found = as_text(table[roles.status]).fillna("nothing")
    for name in sorted(set(found) - set(known)):
        raise DataError(
            f"column '{roles.status}' must say what became of an application, received '{name}'; {nearest(name, known)}"
        )
    require_mature(np.asarray([known[name] for name in found], dtype=np.int8))


def _check_label(table: pd.DataFrame, roles: Roles) -> None:
    if roles.label is None:
        return
    values = sorted(as_text(table[roles.label]).dropna().unique())
    if len(values) != 2:
        shown = ", ".join(map(repr, values[:6])) + (", ..." if len(values) > 6 else "")
        raise DataError(
            f"a label must hold two values, column '{roles.label}' holds {len(values)} ({shown}); "
            "name another data.label or keep two outcomes"
        )
    if roles.bad not in values:
        raise DataError(
            f"data.bad must be one of the label's values, received '{roles.bad}'; "
            f"column '{roles.label}' holds {' and '.join(map(repr, values))}"
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
    """Return ISO dates and times, those of any zone in UTC; whatever else is written becomes missing."""
    if not pd.api.types.is_datetime64_any_dtype(values):
        values = values.astype(object).where(values.notna(), None).map(str, na_action="ignore")
    found = pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True)
    return found.dt.tz_localize(None)


def _broken_rules(table: pd.DataFrame, typed: pd.DataFrame, roles: Roles) -> "pd.Series[str]":
    """Return the first rule that each breaking row broke, indexed as the table."""
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
    """Return categories as text with None for missing; whole numbers lose their '.0', so that 1 and 1.0 are one."""
    if pd.api.types.is_bool_dtype(values):
        values = values.astype(object)
    if pd.api.types.is_float_dtype(values):
        spelled = values.map(_spell, na_action="ignore")
    else:
        spelled = values.astype(object).map(str, na_action="ignore")
    return spelled.astype(object).where(values.notna().to_numpy(), None)


def _spell(value: float) -> str:
    """Return whole numbers as integers are written and others in the fewest digits that tell them apart."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _too_many(table: pd.DataFrame, broken: "pd.Series[str]", limit: float) -> str:
    rule, rows = next(iter(broken.value_counts().items()))
    first = broken.index[broken == rule][0]
    column = str(rule)[1:].rpartition("'")[0]
    return (
        f"at most {limit:.0%} of the rows may break the contract, {len(broken)} of {len(table)} do; most often: {rule} "
        f"({rows} rows, first {str(table.loc[first, column])!r}); correct the column, change its role or raise "
        "data.max_quarantined"
    )
