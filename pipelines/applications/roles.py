"""The role of each column of a table of applications, declared or inferred."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Self

import pandas as pd
import pyarrow as pa

from pipelines.applications.directions import check_direction_names
from pipelines.applications.meanings import Meaning, check_meanings, meanings_of
from pipelines.applications.settings import DataSettings, Source
from pipelines.erasures.record import CUSTOMER
from pipelines.errors import ConfigurationError, DataError
from pipelines.errors import listed as first
from pipelines.reading.column_types import ColumnType
from pipelines.reading.contract import ReadingContract
from pipelines.reading.left_out import listed, uninformative
from pipelines.reading.marked_numbers import MarkedNumbers
from pipelines.reading.reading import Reading
from pipelines.reading.special import code_columns
from pipelines.reading.values import Kind, spelled

MOST_LEVELS, IDENTIFIER_SHARE = 50, 0.5
"""A text column with more distinct values, and more than this share of them, is an identifier and not a category."""
SINGLE = ("id", "time", "label", "status", "outcome_known_at", "decision", "random_approval")
"""The settings that name one column each, which is then no feature."""
MOST_SHOWN = 3
"""Columns that a message names."""
BAD = "1"
"""The value of a label of 0 and 1 that means default."""


@dataclass(frozen=True)
class Roles:
    """The roles of columns and the meanings of features; `inferred` describes the roles that were not declared."""

    id: str | None
    time: str | None
    label: str | None
    bad: str
    protected: tuple[str, ...]
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    inferred: tuple[str, ...] = ()
    status: str | None = None
    outcome_known_at: str | None = None
    decision: str | None = None
    approved: str = "approved"
    by_lot: str | None = None
    group: str | None = None
    ignored: tuple[str, ...] = ()
    meanings: Mapping[str, Meaning] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Columns without a declared role that are no features, and why."""
    customer: str | None = None
    contract: ReadingContract = field(default_factory=ReadingContract)

    @classmethod
    def of(
        cls,
        table: pd.DataFrame,
        data: DataSettings,
        types: Mapping[str, ColumnType],
        *,
        labelled: bool,
        decided: bool = False,
    ) -> Self:
        """Return the declared roles, and those of the remaining columns inferred from what their values are.

        With `labelled` false (scoring), a label column is left out. With `decided` true, earlier decisions are read;
        they are never features. `types` are those of all columns.
        """
        _check_single(data)
        if labelled:
            check_meanings(list(map(str, table)), data)
        customer = customer_column(data, map(str, table))
        features = (*data.protected, *data.numeric, *data.categorical, *data.ignored)
        taken = {*_single(data), *features, customer, data.group}
        rest = [str(column) for column in table if column not in taken] if data.infer else []
        if data.source is Source.table:
            rest.sort()  # the same table with its columns in another order gives the same model
        left_out = _left_out(table, rest, data, types)
        if labelled:
            _check_marks([column for column in rest if table[column].nunique() > 1], types)
        kept = [column for column in rest if column not in left_out]
        numbers = [column for column in kept if types[column].is_numeric or _is_empty_number(table[column])]
        categories = [column for column in kept if column not in numbers]
        for code, number in code_columns(data.special).items():
            if number in data.numeric and code not in {*categories, *data.categorical, *left_out}:
                categories.append(code)
        if labelled:
            check_direction_names([*data.numeric, *numbers], [*data.categorical, *categories], data)
        return cls(
            id=data.id,
            time=data.time,
            label=data.label if labelled else None,
            bad=_as_spelled(data.bad or BAD, data.label, types),
            status=data.status if labelled else None,
            outcome_known_at=data.outcome_known_at if labelled else None,
            decision=data.decision if decided else None,
            approved=_as_spelled(data.approved, data.decision, types),
            by_lot=data.random_approval if decided else None,
            group=data.group if labelled else None,
            ignored=tuple(data.ignored),
            meanings=meanings_of([*data.numeric, *numbers, *data.categorical, *categories], data),
            protected=tuple(data.protected),
            numeric=(*data.numeric, *numbers),
            categorical=(*data.categorical, *categories),
            inferred=_inferred(numbers, categories, left_out, types),
            left_out=left_out,
            customer=customer,
            contract=ReadingContract(types, Reading.of(data)),
        )

    @property
    def reading_record(self) -> dict[str, Any]:
        """What columns were taken for, as a model's record says it; of ids nothing is recorded."""
        ids = [name for name in (self.id, self.customer) if name is not None]
        return self.contract.to_record(categories=self.categorical, without=ids)

    @property
    def other_times(self) -> list[str]:
        """The columns of times without a role."""
        return [name for name, of in self.contract.types.items() if of.kind is Kind.time and name not in self.times]

    @property
    def times(self) -> tuple[str, ...]:
        """The columns of times."""
        return tuple(column for column in (self.time, self.outcome_known_at) if column is not None)

    @property
    def declared(self) -> dict[str, tuple[str, ...]]:
        """Columns by role; each must exist in the table."""
        single = {
            "id": self.id,
            "time": self.time,
            "label": self.label,
            "status": self.status,
            "outcome_known_at": self.outcome_known_at,
            "decision": self.decision,
            "by_lot": self.by_lot,
            "group": self.group,
        }
        return {role: (column,) for role, column in single.items() if column is not None} | {
            "protected": self.protected,
            "numeric": self.numeric,
            "categorical": self.categorical,
        }


def _single(data: DataSettings) -> tuple[str | None, ...]:
    return tuple(getattr(data, name) for name in SINGLE)


def _check_single(data: DataSettings) -> None:
    """Raise ConfigurationError for a column with two roles, such as a protected attribute declared as a feature."""
    roles = [column for column in _single(data) if column is not None]
    roles += [*data.protected, *data.numeric, *data.categorical, *data.ignored]
    for column, times in Counter(roles).items():
        if times > 1:
            raise ConfigurationError(
                f"column '{column}' has {times} roles; name it in only one of "
                f"{', '.join(f'data.{name}' for name in SINGLE)}, data.protected, data.numeric, data.categorical and "
                "data.ignored"
            )


def check_special(data: DataSettings) -> None:
    """Raise ConfigurationError for special codes of a column whose role has no amounts."""
    declared: dict[str, str | None] = {name: getattr(data, name) for name in (*SINGLE, "customer", "group")}
    lists = {name: getattr(data, name) for name in ("protected", "categorical", "ignored")}
    roles = {column: name for name, column in declared.items() if column is not None}
    roles |= {column: name for name, columns in lists.items() for column in columns}
    for column in data.special:
        if column in roles:
            raise ConfigurationError(
                f"data.special names '{column}', which is the column of data.{roles[column]}; special codes are for "
                "numeric features, so leave it out of data.special"
            )


def customer_column(data: DataSettings, columns: Iterable[str]) -> str | None:
    """Return the column of the customer's id: the declared one, or customer_id where a table has it."""
    return data.customer or (CUSTOMER if CUSTOMER in columns else None)


def _left_out(
    table: pd.DataFrame, columns: Sequence[str], data: DataSettings, types: Mapping[str, ColumnType]
) -> dict[str, str]:
    """Return why columns are no features. Those of a marketplace are features by its catalogue, whatever they hold."""
    reasons = {column: reason for column in columns if (reason := _not_a_feature(table[column], types[column]))}
    if data.source is Source.marketplace:
        return {column: reason for column, reason in reasons.items() if types[column].kind is not Kind.empty}
    rest = [column for column in columns if column not in reasons]
    declared = [name for name in (*data.numeric, *data.categorical) if name in table]
    return reasons | uninformative(table, rest, declared)


def _check_marks(columns: Sequence[str], types: Mapping[str, ColumnType]) -> None:
    """Raise DataError for columns without a declared role whose numbers have marks that are not declared."""
    marked = {column: marks for column in columns if (marks := types[column].marks)}
    if not marked:
        return
    examples = first([f"'{column}' (such as '{marks.example}')" for column, marks in marked.items()], MOST_SHOWN)
    raise DataError(
        f"the numbers of {examples} have marks that are not declared; "
        f"{reduce(MarkedNumbers.and_those_of, marked.values()).remedy}, or keep them as text with "
        f"'data.categorical=[{','.join(marked)}]'"
    )


def _is_empty_number(values: "pd.Series[Any]") -> bool:
    return bool(pd.api.types.is_float_dtype(values) and values.isna().all())


def _not_a_feature(values: "pd.Series[Any]", of: ColumnType) -> str | None:
    if of.kind is Kind.time:
        return "a time"
    if of.kind in (Kind.nested, Kind.empty):
        return of.why
    if of.is_numeric:
        return None
    distinct = values.nunique()
    if distinct > MOST_LEVELS and distinct > IDENTIFIER_SHARE * len(values):
        return f"{distinct:,} different texts in {len(values):,} rows, as an identifier has"
    return None


def _as_spelled(value: str, column: str | None, types: Mapping[str, ColumnType]) -> str:
    """Return a value of a setting as the values of its column are spelled."""
    if column is None or column not in types:
        return value
    return spelled(pa.array([value]), types[column].kind, Reading())[0] or value


def _inferred(
    numbers: Sequence[str], categories: Sequence[str], left_out: Mapping[str, str], types: Mapping[str, ColumnType]
) -> tuple[str, ...]:
    roles = {"numeric": ", ".join(numbers), "categorical": ", ".join(categories), "left out": listed(left_out)}
    named = [*numbers, *categories, *left_out]
    notable = [f"{name}: {types[name].kind.value}, because {types[name].why}" for name in named if types[name].notable]
    return (*(f"{role}: {names}" for role, names in roles.items() if names), *notable)
