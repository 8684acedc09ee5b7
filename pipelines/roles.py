"""What each column of a table of applications is for."""

from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from pipelines.settings import DataSettings

IDENTIFIER_SHARE = 0.5
"""A text column in which more than this share of the values is different says who, not what: it is left out."""


@dataclass(frozen=True)
class Roles:
    """The roles of columns; `inferred` lists in words what was not declared."""

    id: str | None
    time: str | None
    label: str | None
    bad: str
    protected: tuple[str, ...]
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    inferred: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: pd.DataFrame, data: DataSettings, *, labelled: bool) -> Self:
        """Return the declared roles, with those of the remaining columns inferred from their values.

        `labelled` is false where outcomes are not needed (scoring): a label column that is there is then left out.
        """
        taken = {data.id, data.time, data.label, *data.protected, *data.numeric, *data.categorical, *data.ignored}
        rest = [str(column) for column in table if column not in taken] if data.infer else []
        numbers = [column for column in rest if _is_number(table[column])]
        names = [column for column in rest if column not in numbers and _is_category(table[column])]
        return cls(
            id=data.id,
            time=data.time,
            label=data.label if labelled else None,
            bad=data.bad,
            protected=tuple(data.protected),
            numeric=(*data.numeric, *numbers),
            categorical=(*data.categorical, *names),
            inferred=_told(numbers, names, [column for column in rest if column not in {*numbers, *names}]),
        )

    @property
    def declared(self) -> dict[str, tuple[str, ...]]:
        """Columns by role; every one of them must exist."""
        single = {"id": self.id, "time": self.time, "label": self.label}
        return {role: (column,) for role, column in single.items() if column is not None} | {
            "protected": self.protected,
            "numeric": self.numeric,
            "categorical": self.categorical,
        }


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
