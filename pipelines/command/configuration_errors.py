"""One message for each error of Hydra or OmegaConf, with the nearest valid names."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    KeyValidationError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)
from yaml import YAMLError

from pipelines.command.configuration_files import explain_encoding, explain_interpolation, explain_yaml, location_of
from pipelines.command.hydra_adapter import parse_override, with_coded_keys
from pipelines.command.keys_of_choices import Choices, advice_on_choice
from pipelines.errors import ConfigurationError, nearest

WORD = re.compile(r"""[^\s\[\]{},:"'](?:[^\[\]{},:"']*[^\s\[\]{},:"'])?""")
"""An item or a key of a list or mapping in an override."""
PLAIN = re.compile(r"[A-Za-z0-9_./\- +%@?|$*]+")
"""What Hydra reads without quotes."""


def forbid_unknown_keys(config: DictConfig, groups: Iterable[str] = ()) -> None:
    """Raise ConfigurationError for keys that the schema does not have: `+key=value` slips past Hydra's own check.

    `groups` are the names of configuration groups, which may be meant too.
    """
    for path, node in _structured(config):
        names = {member.name for member in fields(OmegaConf.get_type(node))}  # type: ignore[arg-type]
        for key in sorted(set(map(str, node.keys())) - names):
            raise ConfigurationError(
                f"unknown key '{path}{key}'; {nearest(key, names if path else names.union(groups))}"
            )


def _structured(node: DictConfig, path: str = "") -> Iterator[tuple[str, DictConfig]]:
    if is_dataclass(OmegaConf.get_type(node)):
        yield path, node
    for key in node:
        child = None if OmegaConf.is_missing(node, key) else node[key]
        if isinstance(child, DictConfig):
            yield from _structured(child, f"{path}{key!s}.")


def unknown_below(schema: type, words: list[str]) -> str | None:
    """Return the message for an override of a key below a setting that holds a single value, None without such a key.

    Hydra would report the enum or the number that the value is not.
    """
    for word in words:
        key = word.partition("=")[0].lstrip("+~")
        first, _, rest = key.partition(".")
        kinds = get_type_hints(schema)
        if rest and first in kinds and not _has_keys(kinds[first]):
            last = rest.rpartition(".")[2]
            return f"unknown key '{key}'; " + (f"did you mean '{last}'?" if last in kinds else nearest(last, kinds))
    return None


def _has_keys(kind: Any) -> bool:
    """Return whether a setting of a type has keys of its own: a dataclass, a mapping, or an optional one of these."""
    return is_dataclass(kind) or get_origin(kind) is dict or kind is Any or any(map(_has_keys, get_args(kind)))


def explain(error: Exception, folders: Sequence[Path] = (), groups: Iterable[str] = ()) -> str:
    """Return one message for an error of Hydra, OmegaConf or YAML.

    `folders` are those of the configuration files, `groups` the names of configuration groups.
    """
    if isinstance(error, YAMLError):
        return explain_yaml(error)
    if isinstance(error, UnicodeDecodeError):
        return explain_encoding(error, folders)
    interpolation = explain_interpolation(error, folders)
    if interpolation is not None:
        return interpolation
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, option = str(error.missing_cfg_file).rpartition("/")
        files = [file.stem for folder in folders for file in folder.glob("*.yaml")]
        advice = nearest(option, error.options or () if group else files)
        package = " (others are packages, such as hydra-joblib-launcher)" if group == "hydra/launcher" else ""
        return f"unknown choice {group or 'configuration'}={option}; {advice}{package}"
    cause = _cause(error)
    if isinstance(cause, OmegaConfBaseException) and cause.full_key:
        return location_of(error, str(cause.full_key), folders) + _explain_key(cause, str(cause.full_key), groups)
    if isinstance(error, OverrideParseException):
        reason = _first_line(cause)
        reason = "it has a character that needs quotes" if reason.startswith("LexerNoViable") else reason
        received = f"received '{error.override}' ({reason})"
        return f"an override is written key=value, {received}; {_quoting(str(error.override))}"
    return location_of(error, "", folders) + _first_line(cause)


def unknown_in_choice(
    error: Exception, arguments: Sequence[str], choices: Choices, folders: Sequence[Path] = ()
) -> str | None:
    """Return the message for a key that another option of its group has, None for any other error."""
    cause = _cause(error)
    if not isinstance(cause, ConfigKeyError | ConfigAttributeError):
        return None
    key = str(cause.full_key)
    advice = advice_on_choice(key, arguments, choices)
    return None if advice is None else location_of(error, key, folders) + advice


def _cause(error: Exception) -> Exception:
    """Return the error of OmegaConf behind one of Hydra, or else the error itself."""
    causes = (error.__cause__, error.__context__)
    return next((one for one in causes if isinstance(one, OmegaConfBaseException)), error)


def _quoting(override: str) -> str:
    """Return the override as it is written in a shell where its value has characters of Hydra's grammar.

    >>> print(_quoting("data.label=a=b"))
    write 'data.label="a=b"'
    >>> print(_quoting("data.special={a=b: [1]}"))
    write 'data.special={"a=b": [1]}'
    """
    key, mark, value = override.partition("=")
    if not mark or not value or value[0] in "\"'":
        return "quote what is special to the shell and to Hydra"
    if value[0] in "[{":
        written = value if set(value) & set("\"'") else WORD.sub(lambda word: _in_quotes(word[0]), value)
    else:
        written = _in_quotes(value)
    try:
        parse_override(with_coded_keys(f"{key}={written}"))
    except HydraException:
        return "quote what is special to the shell and to Hydra"
    return f"write '{key}={written}'"


def _in_quotes(text: str) -> str:
    """Return a text in quotes where Hydra's grammar needs them."""
    if PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _explain_key(error: OmegaConfBaseException, key: str, groups: Iterable[str]) -> str:
    names = _keys_beside(error)
    name = key.rpartition(".")[2]
    names += [] if name in names or "." in key else groups
    if (names or isinstance(error, ConfigKeyError | ConfigAttributeError)) and name not in names:
        return f"unknown key '{key}'; {nearest(name, names)}"
    if isinstance(error, MissingMandatoryValue):
        return f"{key} must be given, received nothing; add {key}=..."
    if isinstance(error, KeyValidationError):
        return f'{key}: the name {name} is not text; write it in quotes, such as {{"{name}": ...}}'
    if isinstance(error, ValidationError) and "is not a ListConfig" in str(error):
        return f"{key}: expected a list; write {key}=[VALUE] or {key}=[VALUE,VALUE]"
    message = _first_line(error).rstrip(".")
    if "Cannot merge DictConfig with" in message or re.search(r"Cannot assign \w+ to Dict", message):
        return f"{key}: expected a mapping; write {key}={{NAME: VALUE}}"
    value = re.search(r"Invalid value '([^']*)', expected one of \[(.*)\]", message)
    close = nearest(value[1], value[2].split(", ")) if value else ""
    return f"{key}: {message}; {close if close.startswith('did you mean') else 'correct the value'}"


def _keys_beside(error: OmegaConfBaseException) -> list[str]:
    """Return the keys at the same place; empty where items have no names."""
    if is_dataclass(error.object_type):
        return [member.name for member in fields(error.object_type)]
    return [str(key) for key in error.parent_node] if isinstance(error.parent_node, DictConfig) else []


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
