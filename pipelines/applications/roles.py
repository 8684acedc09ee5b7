"""The role of each column of a table of applications, declared or inferred."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import pandas as pd

from pipelines.applications.meanings import Meaning, check_meanings, meanings_of
from pipelines.applications.settings import DataSettings
from pipelines.errors import ConfigurationError

IDENTIFIER_SHARE = 0.5
"""A text column with more than this share of distinct values is an identifier, not a category, and is left out."""


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
    meanings: Mapping[str, Meaning] = field(default_factory=dict)

    @classmethod
    def of(cls, table: pd.DataFrame, data: DataSettings, *, labelled: bool, decided: bool = False) -> Self:
        """Return the declared roles, and those of the remaining columns inferred from their values.

        With `labelled` false (scoring), a label column is left out. With `decided` true, earlier decisions are read;
        they are never features.
        """
        _check_single(data)
        if labelled:
            check_meanings(list(map(str, table)), data)
        taken = {*_single(data), *data.protected, *data.numeric, *data.categorical, *data.ignored, data.customer}
        rest = [str(column) for column in table if column not in taken] if data.infer else []
        numbers = [column for column in rest if _is_number(table[column])]
        categories = [column for column in rest if column not in numbers and _is_category(table[column])]
        return cls(
            id=data.id,
            time=data.time,
            label=data.label if labelled else None,
            bad=data.bad,
            status=data.status if labelled else None,
            outcome_known_at=data.outcome_known_at if labelled else None,
            decision=data.decision if decided else None,
            approved=data.approved,
            by_lot=data.random_approval if decided else None,
            meanings=meanings_of([*data.numeric, *numbers, *data.categorical, *categories], data),
            protected=tuple(data.protected),
            numeric=(*data.numeric, *numbers),
            categorical=(*data.categorical, *categories),
            inferred=_inferred(numbers, categories, rest),
        )

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
        }
        return {role: (column,) for role, column in single.items() if column is not None} | {
            "protected": self.protected,
            "numeric": self.numeric,
            "categorical": self.categorical,
        }


def _single(data: DataSettings) -> tuple[str | None, ...]:
    return (data.id, data.time, data.label, data.status, data.outcome_known_at, data.decision, data.random_approval)


def _check_single(data: DataSettings) -> None:
    """Raise ConfigurationError for a column with two roles, such as a protected attribute declared as a feature."""
    roles = [column for column in _single(data) if column is not None]
    roles += [*data.protected, *data.numeric, *data.categorical, *data.ignored]
    for column, times in Counter(roles).items():
        if times > 1:
            raise ConfigurationError(
                f"column '{column}' has {times} roles; name it in only one of data.id, data.time, data.label, "
                "data.status, data.outcome_known_at, data.decision, data.random_approval, data.protected, "
                "data.numeric, data.categorical and data.ignored"
            )


def _is_number(values: "pd.Series[Any]") -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _is_category(values: "pd.Series[Any]") -> bool:
    if pd.api.types.is_datetime64_any_dtype(values):
        return False
    distinct = values.nunique()
    return bool(distinct <= 50 or distinct <= IDENTIFIER_SHARE * len(values))


def _inferred(numbers: list[str], categories: list[str], columns: list[str]) -> tuple[str, ...]:
    left_out = [column for column in columns if column not in {*numbers, *categories}]
    roles = {"numeric": numbers, "categorical": categories, "left out (times and identifiers)": left_out}
    return tuple(f"{role}: {', '.join(names)}" for role, names in roles.items() if names)
