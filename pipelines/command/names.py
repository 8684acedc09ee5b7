"""The one place where names are checked, and the numbers of versions, before a verb writes anything.

A name becomes a folder, a model of MLflow's registry or a file of a configuration group. The names of models,
experiments and policies are read beside aliases too, so that they must not be taken for one.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from pipelines.errors import RequestError

NAMES = ("model", "experiment_name", "name", "study")
"""Settings that hold a name, in every verb and at any depth."""

VERSIONS = ("version", "shadow")
"""Settings that hold the number of a version, in verbs that have a `model`."""

NAME = r"\w([\w.-]*\w)?"

MOST_BYTES = 180
"""A folder name has at most 255 bytes, and folders of the score log are named for the model."""

NOT_AN_ALIAS = ("model name", "experiment name", "policy name")

RESERVED = ("champion", "challenger", "latest")
"""Aliases of ours and of MLflow's, which also reads `v1` as a version."""


def check_name(what: str, name: str) -> None:
    """Raise RequestError for a text that cannot be a name of something, such as "model name".

    >>> check_name("model name", "credit_score-2.0")
    >>> check_name("model name", "v2")
    Traceback (most recent call last):
        ...
    pipelines.errors.RequestError: model name 'v2' is reserved for an alias or a version; use another name
    """
    size = len(name.encode(errors="replace"))
    if size > MOST_BYTES:
        raise RequestError(f"{what} {name[:30] + '...'!r} has {size} bytes; use a name of at most {MOST_BYTES} bytes")
    words = name.split(" ") if what == "study name" else [name]  # of a model, a family and an identity
    if not all(re.fullmatch(NAME, word) and unicodedata.is_normalized("NFKC", word) for word in words):
        raise RequestError(
            f"{what} {name!r} is not valid; use letters, digits and the characters . _ - only, and neither . nor - at "
            "its ends"
        )
    if what in NOT_AN_ALIAS and (name.lower() in RESERVED or re.fullmatch(r"[vV]\d+", name)):
        raise RequestError(f"{what} {name!r} is reserved for an alias or a version; use another name")


def check_names(settings: object) -> None:
    """Raise RequestError for settings of a verb that hold a name or a version's number and are none."""
    for key, value in _members(settings):
        check_value(key, value, has_model=hasattr(settings, "model"))


def check_choices(choices: Mapping[str, object]) -> None:
    """Raise RequestError where the chosen option of a configuration group is not a name: it would be a path."""
    for group, option in choices.items():
        if isinstance(option, str):
            check_name(f"{group} name", option)


def check_value(key: str, value: object, *, has_model: bool) -> None:
    """Raise RequestError where the setting of a key is a name or a version's number, and its value is not one."""
    parent, _, last = key.rpartition(".")
    if last in NAMES and isinstance(value, str):
        check_name(_title(parent, last), value)
    if has_model and key in VERSIONS and isinstance(value, int) and value < 1:
        raise RequestError(f"{key} is {value}, and versions count from 1; `thinfile compare` lists them")


def _title(parent: str, last: str) -> str:
    """Return what a setting names.

    >>> _title("", "model"), _title("", "experiment_name"), _title("policy", "name"), _title("", "name")
    ('model name', 'experiment name', 'policy name', 'name')
    """
    thing = parent.rpartition(".")[2] if last == "name" else last.removesuffix("_name")
    return f"{thing} name".strip()


def _members(settings: object, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the values of settings by key, those of nested settings too."""
    if is_dataclass(settings):
        for member in fields(settings):
            value = getattr(settings, member.name)
            yield f"{prefix}{member.name}", value
            yield from _members(value, f"{prefix}{member.name}.")
