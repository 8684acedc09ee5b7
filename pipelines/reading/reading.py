"""How the values of a table are read: what its settings declare, in the form that travels with a model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from pipelines.reading.settings import ReadingSettings


@dataclass(frozen=True)
class Reading:
    """The words of a table that mean missing, and how its text spells numbers and times.

    `special` are the numbers of a column that are codes.
    """

    nulls: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str | None = None
    date_format: str | None = None
    never: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: ReadingSettings) -> Self:
        """Return what settings declare of values."""
        nulls = tuple(settings.nulls)
        return cls(nulls, settings.decimal, settings.thousands, settings.date_format, tuple(settings.never))

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return what was recorded with `to_record`."""
        return cls(**{**record, "nulls": tuple(record["nulls"]), "never": tuple(record["never"])})

    def to_record(self) -> dict[str, Any]:
        """Return a record of plain values."""
        return asdict(self)

    @property
    def null_numbers(self) -> list[float]:
        """The numbers among the words that mean missing."""
        found = (_number(one) for one in self.nulls)
        return [one for one in found if one is not None]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
