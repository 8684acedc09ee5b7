"""Texts of a configuration that come from the environment: verbs work with the value, records keep `${oc.env:NAME}`.

In a record `${oc.env:` begins an interpolation; any other `${` is a part of the text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from pipelines.errors import RequestError
from pipelines.secrets.redaction import redacted

ENVIRONMENT = "${oc.env:"

T = TypeVar("T")


class EnvironmentText(str):
    """A text that an interpolation of the environment gave; `unresolved` is how the configuration has it."""

    unresolved: str

    def __new__(cls, value: str, unresolved: str = "") -> "EnvironmentText":
        """Return a text that behaves like its value everywhere but in records."""
        text = super().__new__(cls, value)
        text.unresolved = unresolved
        return text


def to_record(value: Any) -> Any:
    """Return JSON values as they are recorded: environment texts unresolved, and addresses without passwords.

    >>> to_record({"path": EnvironmentText("/data/loans.csv", "${oc.env:LOANS}"), "rows": 7})
    {'path': '${oc.env:LOANS}', 'rows': 7}
    """
    if isinstance(value, EnvironmentText):
        return redacted(value.unresolved)
    if isinstance(value, str):
        return redacted(value)
    return _mapped(to_record, value)


def as_written(value: Any) -> Any:
    """Return recorded values as a configuration has them: what is a part of a text is escaped, the environment is not.

    >>> as_written(["${oc.env:X}", "costs ${x}"])
    ['${oc.env:X}', 'costs \\\\${x}']
    """
    if isinstance(value, str):
        return value if ENVIRONMENT in value else re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
    return _mapped(as_written, value)


def environment_texts(settings: object, prefix: str = "") -> Iterator[tuple[str, EnvironmentText]]:
    """Yield the texts of settings that the environment gave, by key."""
    if isinstance(settings, EnvironmentText):
        yield prefix.rstrip("."), settings
    elif is_dataclass(settings):
        for member in fields(settings):
            yield from environment_texts(getattr(settings, member.name), f"{prefix}{member.name}.")
    elif isinstance(settings, Mapping):
        for key, item in settings.items():
            yield from environment_texts(item, f"{prefix}{key}.")
    elif isinstance(settings, list):
        for item in settings:
            yield from environment_texts(item, prefix)


def resolved(value: Any) -> Any:
    """Return recorded values with what the environment has now for each interpolation of it.

    Raises:
        EnvironmentMissing: the environment lacks a variable.
    """
    if isinstance(value, str) and ENVIRONMENT in value:
        return _resolved(value)
    return _mapped(resolved, value)


def without_marks(settings: T) -> T:
    """Return settings with plain texts, for libraries that take no others."""
    if is_dataclass(settings) and not isinstance(settings, type):
        changed = {member.name: without_marks(getattr(settings, member.name)) for member in fields(settings)}
        return replace(settings, **changed)
    plain: T = str(settings) if isinstance(settings, EnvironmentText) else _mapped(without_marks, settings)  # type: ignore[assignment]
    return plain


def _mapped(function: Any, value: Any) -> Any:
    """Return a mapping or a list with a function applied to its values, anything else as it is."""
    if isinstance(value, Mapping):
        return {function(key): function(item) for key, item in value.items()}
    return [function(item) for item in value] if isinstance(value, list) else value


def _resolved(text: str) -> object:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        return OmegaConf.create({"text": text})["text"]
    except OmegaConfBaseException as error:
        raise unreadable(error) from error


class EnvironmentMissing(RequestError):
    """A recorded setting reads the environment, which lacks its variable."""


def unreadable(error: Exception) -> EnvironmentMissing:
    """Return the error for a recorded setting that cannot be read from the environment any more."""
    missing = re.search(r"Environment variable '([^']+)' not found", str(error))
    reason = f"{missing[1]} is not set" if missing else str(error).splitlines()[0]
    return EnvironmentMissing(f"a recorded setting reads the environment, and {reason}; set the variable as it was")
