"""What the columns of a table were taken for when a model learnt from it: how later tables of the model are read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from pipelines.reading.column_types import ColumnType
from pipelines.reading.reading import Reading
from pipelines.reading.settings import ReadingSettings
from pipelines.reading.values import Kind


@dataclass(frozen=True)
class ReadingContract:
    """The type of each column, and the words that mean missing. Models of earlier versions have no types."""

    types: Mapping[str, ColumnType] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)

    @classmethod
    def from_record(cls, record: Mapping[str, Any] | None) -> Self:
        """Return what was recorded with `to_record`, and an empty contract for None."""
        if record is None:
            return cls()
        types = {name: ColumnType.from_record(one) for name, one in record["columns"].items()}
        return cls(types, Reading.from_record(record["values"]))

    def to_record(self, categories: Collection[str] = (), without: Collection[str] = ()) -> dict[str, Any]:
        """Return a record of plain values that says which columns are `categories`; ids are left out."""
        columns = {
            name: one.to_record() | ({"role": "category"} if name in categories else {})
            for name, one in self.types.items()
            if name not in without
        }
        return {"values": self.reading.to_record(), "columns": columns}

    def kind(self, name: str) -> Kind | None:
        """Return what a column was taken for, None for one that the model did not see."""
        return self.types[name].kind if name in self.types else None

    @property
    def flags(self) -> frozenset[str]:
        """The columns that are true and false."""
        return frozenset(name for name, one in self.types.items() if one.kind is Kind.flag)

    def of(self, settings: ReadingSettings) -> Self:
        """Return the contract for a table with its own settings: these count where they are set.

        Words that mean missing in either do so.
        """
        declared, usual = Reading.of(settings), Reading()
        nulls = tuple(dict.fromkeys([*self.reading.nulls, *declared.nulls]))
        own = {
            name: value
            for name, value in declared.to_record().items()
            if name != "nulls" and value != getattr(usual, name)
        }
        return replace(self, reading=replace(self.reading, nulls=nulls, **own))
