"""How the values of a table are read: what its settings declare, in the form that travels with a model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from pipelines.reading.settings import ReadingSettings
from pipelines.reading.special import Codes, codes_of


@dataclass(frozen=True)
class Reading:
    """The words of a table that mean missing, how its text spells numbers and times, and its special codes."""

    nulls: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str | None = None
    date_format: str | None = None
    never: tuple[str, ...] = ()
    special: Codes = field(default_factory=dict)
    symbols: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: ReadingSettings) -> Self:
        """Return what settings declare of values."""
        return cls(
            tuple(settings.nulls),
            settings.decimal,
            settings.thousands,
            settings.date_format,
            tuple(settings.never),
            codes_of(settings.special),
            tuple(settings.symbols),
        )

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return what was recorded with `to_record`."""
        tuples = {name: tuple(record.get(name, ())) for name in ("nulls", "never", "symbols")}
        special = {name: tuple(codes) for name, codes in record.get("special", {}).items()}
        return cls(**{**record, **tuples, "special": special})

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
