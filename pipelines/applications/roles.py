"""What each column of a table of applications is for."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import pandas as pd

from pipelines.applications.meanings import Meaning, check_meanings, meanings_of
from pipelines.applications.settings import DataSettings
from pipelines.errors import ConfigurationError

IDENTIFIER_SHARE = 0.5
"""A text column in which more than this share of the values is different says who, not what: it is left out."""


@dataclass(frozen=True)
class Roles:
    """The roles of columns and the meanings of features; `inferred` lists in words what was not declared."""

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
    customer: str | None = None
    segment: str | None = None
    meanings: Mapping[str, Meaning] = field(default_factory=dict)

    @classmethod
    def of(cls, table: pd.DataFrame, data: DataSettings, *, labelled: bool, decided: bool = False) -> Self:
        """Return the declared roles, with those of the remaining columns inferred from their values.

        `labelled` is false where outcomes are not needed (scoring): a label column that is there is then left out.
        `decided` is true where earlier decisions are needed; they are never features.
        """
        _check_single(data)
        if labelled:
            check_meanings(list(map(str, table)), data)
        taken = {*_single(data), *data.protected, *data.numeric, *data.categorical, *data.ignored, data.customer}
        rest = [str(column) for column in table if column not in taken] if data.infer else []
        numbers = [column for column in rest if _is_number(table[column])]
        names = [column for column in rest if column not in numbers and _is_category(table[column])]
        return cls(
            id=data.id,
            time=data.time,
            label=data.label if labelled else None,
            bad=data.bad,
            status=data.status if labelled else None,
            outcome_known_at=data.outcome_known_at if labelled else None,
            decision=data.decision if decided else None,
            approved=data.approved,
            by_lot=data.by_lot if decided else None,
            customer=data.customer if not labelled else None,
            segment=data.segment if not labelled else None,
            meanings=meanings_of([*data.numeric, *numbers, *data.categorical, *names], data),
            protected=tuple(data.protected),
            numeric=(*data.numeric, *numbers),
            categorical=(*data.categorical, *names),
            inferred=_told(numbers, names, [column for column in rest if column not in {*numbers, *names}]),
        )

    @property
    def times(self) -> tuple[str, ...]:
        """The columns that hold times."""
        return tuple(column for column in (self.time, self.outcome_known_at) if column is not None)

    @property
    def declared(self) -> dict[str, tuple[str, ...]]:
        """Columns by role; every one of them must exist."""
        single = {
            "id": self.id,
            "time": self.time,
            "label": self.label,
            "status": self.status,
            "outcome_known_at": self.outcome_known_at,
            "decision": self.decision,
            "by_lot": self.by_lot,
            "customer": self.customer,
            "segment": self.segment,
        }
        return {role: (column,) for role, column in single.items() if column is not None} | {
            "protected": self.protected,
            "numeric": self.numeric,
            "categorical": self.categorical,
        }


def _single(data: DataSettings) -> tuple[str | None, ...]:
    return (data.id, data.time, data.label, data.status, data.outcome_known_at, data.decision, data.by_lot)


def _check_single(data: DataSettings) -> None:
    """Raise for a column with two roles: a protected one must not become a feature by the back door."""
    roles = [column for column in _single(data) if column is not None]
    roles += [*data.protected, *data.numeric, *data.categorical, *data.ignored]
    for column, times in Counter(roles).items():
        if times > 1:
            raise ConfigurationError(
                f"a column has one role, '{column}' was given {times}; name it in one of data.id, data.time, "
                "data.label, data.status, data.outcome_known_at, data.decision, data.by_lot, data.protected, "
                "data.numeric, data.categorical and data.ignored"
            )


def _is_number(values: "pd.Series[Any]") -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _is_category(values: "pd.Series[Any]") -> bool:
    if pd.api.types.is_datetime64_any_dtype(values):
        return False
    distinct = values.nunique()
    return bool(distinct <= 50 or distinct <= IDENTIFIER_SHARE * len(values))


def _told(numbers: list[str], names: list[str], left_out: list[str]) -> tuple[str, ...]:
    told = {"numeric": numbers, "categorical": names, "left out (times and identifiers)": left_out}
    return tuple(f"{role}: {', '.join(columns)}" for role, columns in told.items() if columns)
