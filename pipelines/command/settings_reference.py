"""Every setting of a verb with its meaning, default and allowed values, read from the settings classes.

The meaning of a setting is the string below its field. `--help` and the configuration reference are made of these.
"""

import ast
import inspect
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import Field, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

REQUIRED = "???"
"""OmegaConf's mark of a value that must be given."""


@dataclass(frozen=True)
class Setting:
    """A setting: its full key, meaning, default as it is written in YAML, and allowed values in words."""

    key: str
    meaning: str
    default: str
    allowed: str


def settings_of(schema: type, prefix: str = "", chosen: Mapping[str, type] | None = None) -> Iterator[Setting]:
    """Yield the settings of a settings class in the order of its fields, those of nested classes after their parent.

    `chosen` has the classes of settings whose declared class is a base class, by full key: a candidate family's.
    """
    kinds, meanings = typing.get_type_hints(schema), meanings_of(schema)
    for member in fields(schema):
        key = f"{prefix}{member.name}"
        kind = (chosen or {}).get(key, _without_none(kinds[member.name]))
        nested = is_dataclass(kind)
        default = "" if nested else written(_default(member))
        yield Setting(key, meanings.get(member.name, ""), default, "" if nested else allowed(kinds[member.name]))
        if nested:
            yield from settings_of(kind, f"{key}.", chosen)


@cache
def meanings_of(schema: type) -> dict[str, str]:
    """Return the strings below the fields of a class and of its bases, by field."""
    meanings: dict[str, str] = {}
    for one in reversed(schema.__mro__):
        if is_dataclass(one):
            (node,) = ast.parse(textwrap.dedent(inspect.getsource(one))).body
            assert isinstance(node, ast.ClassDef)
            for first, second in zip(node.body, node.body[1:], strict=False):
                if isinstance(first, ast.AnnAssign) and isinstance(first.target, ast.Name) and _is_text(second):
                    text = second.value.value  # type: ignore[attr-defined]
                    meanings[first.target.id] = " ".join(text.split())
    return meanings


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _default(member: "Field[Any]") -> Any:
    if member.default is not NO_DEFAULT:
        return member.default
    return REQUIRED if member.default_factory is NO_DEFAULT else member.default_factory()


def written(value: Any) -> str:
    """Return a value as it is written in YAML; empty for one that must be given.

    >>> written(None), written(True), written([1, 2]), written({}), written("a"), written("")
    ('null', 'true', '[1, 2]', '{}', 'a', "''")
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {written(item)}" for name, item in value.items()) + "}"
    if value == "":
        return "''"
    return "" if value == REQUIRED else str(value)


def allowed(kind: Any) -> str:
    """Return the values that a type allows, in words.

    >>> allowed(int), allowed(str | None), allowed(list[str]), allowed(bool)
    ('integer', 'text or null', 'list of text', 'true | false')
    """
    inner = _without_none(kind)
    words = _allowed(inner)
    if inner is kind:
        return words
    return f"{words} | null" if "|" in words else f"{words} or null"


def _allowed(kind: Any) -> str:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        return f"list of {_allowed(arguments[0])}"
    if origin is dict:
        return f"mapping to {_allowed(arguments[1])}"
    if inspect.isclass(kind) and issubclass(kind, Enum):
        return " | ".join(str(member.value) for member in kind)
    names = {Any: "any value", bool: "true | false", int: "integer", float: "number", str: "text"}
    return names.get(kind, getattr(kind, "__name__", str(kind)).lower())


def _without_none(kind: Any) -> Any:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        others = [one for one in typing.get_args(kind) if one is not type(None)]
        return others[0] if len(others) == 1 else kind
    return kind
