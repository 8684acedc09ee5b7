"""What tells the versions of one experiment apart: the overrides that not all of them have."""

from collections.abc import Mapping, Sequence
from typing import Any


def differing_overrides(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return the overrides of each version that the other versions of its experiment do not all have.

    Versions without an experiment have none. `rows` have the `experiment` of a version and its `overrides`.

    >>> sweep = [{"experiment": "ablation", "overrides": ["trials=1", f"leave_out=[{group}]"]} for group in "ab"]
    >>> differing_overrides(sweep)
    [['leave_out=[a]'], ['leave_out=[b]']]
    """
    shared: dict[str, set[str]] = {}
    for row in rows:
        if row["experiment"]:
            shared[row["experiment"]] = shared.get(row["experiment"], set(row["overrides"])) & set(row["overrides"])
    return [
        [word for word in row["overrides"] if word not in shared[row["experiment"]]] if row["experiment"] else []
        for row in rows
    ]


def experiment_title(name: str | None, overrides: Sequence[str]) -> str:
    """Return an experiment with the overrides of one of its versions; words are short, so that a narrow table wraps.

    >>> experiment_title("ablation", ["leave_out=[returns]"])
    'ablation, leave_out: [returns]'
    """
    return ", ".join([name or "", *(word.replace("=", ": ", 1) for word in overrides)])
