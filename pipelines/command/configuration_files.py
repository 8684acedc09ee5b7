"""Finds the file and line at which a key of the composed configuration is set."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml


def location_of(error: Exception, key: str, folders: Sequence[Path]) -> str:
    """Return the file that an error of Hydra names, with the line of a key, before a message; empty without a file.

    `folders` are searched in order, as Hydra does.
    """
    named = re.match(r"In '([^']+)'", str(error))
    files = [folder / f"{named[1]}.yaml" for folder in folders] if named else []
    file = next((one for one in files if one.exists()), None)
    if file is None:
        return ""
    line = _line_of(file, key) if key else None
    return f"{file}: " if line is None else f"{file}, line {line}: "


def explain_yaml(error: yaml.YAMLError) -> str:
    """Return one message for a configuration file that is not valid YAML."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    where = f"{mark.name}, line {mark.line + 1}, column {mark.column + 1}" if mark else "a configuration file"
    return f"{where} is not valid YAML: {problem}; correct the file"


def explain_encoding(error: UnicodeDecodeError, folders: Sequence[Path]) -> str:
    """Return one message for a configuration file that is not UTF-8."""
    file = next((one for one in _files(folders) if not _is_text(one)), "a configuration file")
    return f"{file} is not text in UTF-8 (byte {error.start + 1}); save it as UTF-8"


def explain_interpolation(error: Exception, folders: Sequence[Path]) -> str | None:
    """Return one message for a `${key}` that names no key or no variable of the environment, None for another error."""
    variable = re.search(r"Environment variable '([^']+)' not found", str(error))
    if variable is not None:
        text = f"oc.env:{variable[1]}"
        return f"the environment variable {variable[1]} of ${{{text}}} is not set; set it, or write ${{{text},VALUE}}"
    missing = re.search(r"Interpolation key '([^']+)' not found", str(error))
    if missing is None:
        return None
    for file in filter(_is_text, _files(folders)):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if f"${{{missing[1]}}}" in line:
                return f"{file}, line {number}: ${{{missing[1]}}} names no key; correct the name"
    return f"${{{missing[1]}}} names no key; correct the name"


def _files(folders: Sequence[Path]) -> list[Path]:
    return [file for folder in folders for file in sorted(folder.rglob("*.yaml"))]


def _is_text(file: Path) -> bool:
    try:
        file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _line_of(file: Path, key: str) -> int | None:
    """Return the line of a key; a file of a group has the end of the key only, as its beginning is the group."""
    names = key.split(".")
    for start in range(len(names)):
        lines = list(_lines(yaml.compose(file.read_text()), names[start:]))
        if lines:
            return lines[-1]
    return None


def _lines(node: yaml.Node | None, names: Sequence[str]) -> Iterator[int]:
    if not isinstance(node, yaml.MappingNode):
        return
    for name, value in node.value:
        if name.value == names[0]:
            yield from _lines(value, names[1:]) if len(names) > 1 else [name.start_mark.line + 1]
