"""Compares two JSON records value by value, bit for bit, and lists the differences."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

NOTHING = "nothing"
"""Shown in place of a value that one of the records does not have."""


@dataclass(frozen=True)
class Difference:
    """One value that differs: its path, the recorded value and the present one, both as JSON text."""

    what: str
    recorded: str
    now: str

    def __str__(self) -> str:
        return f"{self.what}: {self.recorded} -> {self.now}"


@dataclass(frozen=True)
class Comparison:
    """How many values were compared, and those that differ."""

    compared: int
    differences: list[Difference]

    def __add__(self, other: "Comparison") -> "Comparison":
        return Comparison(self.compared + other.compared, [*self.differences, *other.differences])


def compare_records(what: str, recorded: object, now: object) -> Comparison:
    """Return the comparison of two JSON-able records; numbers agree when their shortest spellings are equal.

    Python writes a double with the fewest digits that identify it, so equal spellings are equal bits.

    >>> compare_records("test", {"auc": 0.75, "rows": 3}, {"auc": 0.7500000000000001, "rows": 3})
    Comparison(compared=2, differences=[Difference(what='test.auc', recorded='0.75', now='0.7500000000000001')])
    """
    before, after = dict(_values(what, recorded)), dict(_values(what, now))
    names = list(dict.fromkeys([*before, *after]))
    pairs = [(name, before.get(name, NOTHING), after.get(name, NOTHING)) for name in names]
    return Comparison(len(names), [Difference(*pair) for pair in pairs if pair[1] != pair[2]])


def _values(path: str, record: object) -> Iterator[tuple[str, str]]:
    """Yield the path and the JSON text of each single value; an empty list or mapping is a value."""
    if isinstance(record, dict) and record:
        for key, value in record.items():
            yield from _values(f"{path}.{key}", value)
    elif isinstance(record, list | tuple) and record:
        for index, value in enumerate(record):
            yield from _values(f"{path}[{index}]", value)
    else:
        yield path, json.dumps(record, default=str)
