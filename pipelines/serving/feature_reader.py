"""The features of requests read as a table of the model is: one form for each value, however it was sent."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import UNSET

from pipelines.reading.json_values import JsonValue, read_numbers, read_texts
from pipelines.reading.reading import Reading
from pipelines.serving.feature_type import FeatureType


class FeatureReader:
    """Reads values of features: a number becomes a double or None for missing, a text its one spelling or None."""

    def __init__(self, types: Mapping[str, FeatureType], reading: Reading) -> None:
        self._types, self._reading = list(types.values()), reading
        self._usual = [one.usual for one in self._types]
        self._nulls: frozenset[Any] = frozenset(["", *reading.nulls, *reading.null_numbers])

    def changes(self, values: Sequence[Sequence[Any]]) -> list[dict[int, JsonValue]]:
        """Return the values of n applications that have another form, by application and place.

        Raises:
            ValueError: a number is not one, or not finite.
        """
        found: list[dict[int, JsonValue]] = [{} for _ in values]
        cells: dict[FeatureType, list[tuple[int, int]]] = {}
        for row, some in enumerate(values):
            for place, (value, usual) in enumerate(zip(some, self._usual, strict=True)):
                if value is not None and value is not UNSET and (value.__class__ is not usual or value in self._nulls):
                    cells.setdefault(self._types[place], []).append((row, place))
        for type_, at in cells.items():
            read = self.read([values[row][place] for row, place in at], type_)
            for (row, place), value in zip(at, read, strict=True):
                found[row][place] = value
        return found

    def read(self, values: Sequence[JsonValue], type_: FeatureType) -> list[JsonValue]:
        """Return values of one type in their one form. Raises ValueError where a number is not one, or not finite."""
        if not type_.is_number:
            return list(read_texts(values, type_.kind, self._reading))
        doubles, broken = read_numbers(values, self._reading, flags=type_.is_flag)
        if broken.any():
            raise ValueError("This feature must be a number or null")
        if np.isinf(doubles).any():
            raise ValueError("Numbers must be finite")
        return [None if one != one else one for one in doubles.tolist()]
