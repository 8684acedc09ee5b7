"""Verbs as functions, for notebooks and programs: what the module `thinfile` calls."""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipelines.command.configuration_errors import explain
from pipelines.command.hydra_adapter import without_job
from pipelines.command.hydra_application import answer
from pipelines.command.library_errors import explained
from pipelines.command.verb import Outcome, VerbSettings, perform, quoted, stay_private
from pipelines.command.verbs import schema_of, verb_named
from pipelines.errors import ConfigurationError, ThinfileError
from pipelines.secrets.command_line import without_secrets

WORD = re.compile(r"[A-Za-z_][\w./-]*")
RESERVED = ("null", "true", "false", "inf", "nan")
"""What Hydra would not read as text."""


def outcome_of(verb: str, request: Sequence[object], values: Mapping[str, object]) -> Outcome:
    """Run a verb and return its outcome.

    `request` are overrides as on a command line, and `values` settings by name; or `request` is one object of the
    verb's settings.

    Raises:
        RequestError: the request was wrong.
        ThinfileError: something failed.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        with _without_main_module():
            if any(map(is_dataclass, request)):
                return _with_settings(verb, request, values)
            words = [*map(str, request), *(f"{key}={_written(value)}" for key, value in values.items())]
            words, variables = without_secrets(words)  # of the environment a record keeps the name alone
            os.environ.update(variables)
            return answer(verb_named(verb), words)
    except ThinfileError:
        raise
    except Exception as error:
        message = explained(error)
        if message is None:
            raise
        raise ThinfileError(message) from error


def _with_settings(verb: str, request: Sequence[object], values: Mapping[str, object]) -> Outcome:
    schema = schema_of(verb)
    if len(request) > 1 or values or not isinstance(request[0], schema):
        raise ConfigurationError(
            f"{verb} takes overrides and values, or one {schema.__name__} and nothing else; received "
            f"{', '.join([*(type(one).__name__ for one in request), *values])}"
        )
    stay_private()
    try:
        settings: Any = OmegaConf.to_object(OmegaConf.structured(request[0]))
    except OmegaConfBaseException as error:
        raise ConfigurationError(explain(error)) from error
    assert isinstance(settings, VerbSettings)
    with without_job():
        return perform(verb_named(verb).task, settings)


def _written(value: object) -> str:
    """Return a value as an override has it.

    >>> [_written(value) for value in (None, True, 0.5, "a b", "12", "auto", Path("x.csv"), ["a", 1], {"income": -9})]
    ['null', 'true', '0.5', '"a b"', '"12"', 'auto', 'x.csv', '[a,1]', '{income:-9}']
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return _written(value.value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_written(key)}:{_written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, str | Path):
        text = str(value)
        return text if WORD.fullmatch(text) and text.lower() not in RESERVED else quoted(text)
    return str(value)


@contextmanager
def _without_main_module() -> Iterator[None]:
    """Keep the processes that we start from running the user's script: what they call is ours."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
