"""Settings that were renamed: the old key keeps working for one version, with a warning that names the new one.

The table serves command-line overrides, YAML files and the recorded settings of earlier runs.
"""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)


def same(value: Any) -> Any:
    """Return a value as it is."""
    return value


def in_list(value: Any) -> Any:
    """Return a list of one value, empty for none."""
    return [] if value in (None, "null") else [value]


@dataclass(frozen=True)
class Renamed:
    """The new key, and how a value of the old key becomes one of the new."""

    key: str
    convert: Callable[[Any], Any] = same


RENAMED: dict[str, Renamed] = {
    "data.by_lot": Renamed("data.random_approval"),
    "data.segment": Renamed("data.segments", in_list),
    "data.through_the_door": Renamed("data.ttd_population"),
    "table.segment": Renamed("table.segments", in_list),
}


def renamed_override(word: str) -> str:
    """Return a command-line override under its new key.

    >>> renamed_override("+data.by_lot=lucky"), renamed_override("data.id=x")
    ('+data.random_approval=lucky', 'data.id=x')
    >>> renamed_override("data.segment=channel")
    "data.segments=['channel']"
    """
    match = re.fullmatch(r"(\+{0,2}|~)([\w.]+)(?:=(.*))?", word, re.DOTALL)
    if match is None or match[2] not in RENAMED:
        return word
    prefix, old, value = match.groups()
    new = RENAMED[old]
    _warn(old, new.key)
    return f"{prefix}{new.key}" if value is None else f"{prefix}{new.key}={new.convert(value)}"


def rename_keys(settings: dict[str, Any], prefix: str = "", *, quiet: bool = False) -> dict[str, Any]:
    """Return settings as nested dictionaries with every old key renamed; `prefix` is where they belong.

    >>> rename_keys({"by_lot": "lucky", "id": "x"}, "data", quiet=True)
    {'random_approval': 'lucky', 'id': 'x'}
    """
    return dict(_renamed(settings, prefix, quiet))


def _renamed(settings: dict[str, Any], prefix: str, quiet: bool) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        key = f"{prefix}.{name}" if prefix else str(name)
        if key in RENAMED:
            new = RENAMED[key]
            if not quiet:
                _warn(key, new.key)
            yield new.key.rpartition(".")[2], new.convert(value)
        else:
            yield name, dict(_renamed(value, key, quiet)) if isinstance(value, dict) else value


def _warn(old: str, new: str) -> None:
    log.warning("setting '%s' is now '%s'; the old name will stop working in the next version", old, new)
