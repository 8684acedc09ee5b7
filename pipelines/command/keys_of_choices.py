"""Finds the choice of a configuration group that has a key which the chosen one lacks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Any

from pipelines.errors import listed

Choices = Mapping[str, Mapping[str, Any]]
"""Group -> option -> its default settings, a dataclass."""

DEEPEST = 3
"""Names below a group are searched so deep: candidate.space.depth.low."""

MOST_OPTIONS = 4

SIMILARITY = 0.85
"""Keys are this similar (`difflib`) where one is taken for a misspelling of the other."""


def advice_on_choice(key: str, arguments: Sequence[str], choices: Choices) -> str | None:
    """Return the message for an unknown key of a group that other options of the group have, None where none has it.

    `key` is the first part that the chosen option lacks; the override in `arguments` that sets it may go further.
    """
    keys = [word.partition("=")[0].lstrip("+~") for word in arguments]
    longer = next((one for one in keys if one.startswith(f"{key}.")), key)
    group, _, rest = longer.partition(".")
    if not rest or group not in choices:
        return None
    paths = {option: set(_paths(settings)) for option, settings in choices[group].items()}
    having = [option for option, own in paths.items() if rest in own]
    if having:
        return f"{longer} is not a setting of the chosen {group}; choose {_written(group, having)}, which has it"
    if longer == key or any(word.startswith(f"{group}=") for word in arguments):
        return None  # the chosen option has other keys beside it, one of which may be meant
    equally_deep = {path for own in paths.values() for path in own if path.count(".") == rest.count(".")}
    for close in get_close_matches(rest, sorted(equally_deep), n=1, cutoff=SIMILARITY):
        having = [option for option, own in paths.items() if close in own]
        return f"unknown key '{longer}'; did you mean {group}.{close} with {_written(group, having)}?"
    return None


def _written(group: str, options: Sequence[str]) -> str:
    """Return how the choice of one of some options is written.

    >>> _written("candidate", ["catboost"]), _written("candidate", ["catboost", "xgboost"])
    ('candidate=catboost', 'one of candidate=NAME (catboost, xgboost)')
    """
    return f"{group}={options[0]}" if len(options) == 1 else f"one of {group}=NAME ({listed(options, MOST_OPTIONS)})"


def _paths(settings: Any, depth: int = DEEPEST) -> Iterator[str]:
    """Yield the keys of settings and of what is below them."""
    if is_dataclass(settings):
        below = {member.name: getattr(settings, member.name) for member in fields(settings)}
    else:
        below = dict(settings) if isinstance(settings, Mapping) else {}
    for name, value in below.items() if depth else ():
        yield str(name)
        yield from (f"{name}.{path}" for path in _paths(value, depth - 1))
