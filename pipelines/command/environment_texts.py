"""Marks the texts of settings that the environment gave, so that records keep the interpolation and not the value."""

import re
from dataclasses import fields, is_dataclass
from typing import Any

from omegaconf import DictConfig, ListConfig

from pipelines.secrets.environment_text import ENVIRONMENT, EnvironmentText

REFERENCE = re.compile(r"(?<!\\)\$\{(\.*)([\w.]+)\}")
DEEPEST = 10
"""References to references are followed so far."""

RESOLVED = ("workspace",)
"""Settings that are always recorded with their value: our own files read them from the environment."""


def marked(settings: Any, config: DictConfig) -> Any:
    """Return settings with an EnvironmentText for each text whose node in the configuration reads the environment.

    Numbers, flags and choices stay as they are: they hold no secret, and they decide results that are made again.
    """
    if is_dataclass(settings):
        for member in fields(settings):
            if member.name not in RESOLVED or config._get_parent() is not None:
                value = _marked(getattr(settings, member.name), config._get_node(member.name))
                object.__setattr__(settings, member.name, value)
    return settings


def _marked(value: Any, node: Any) -> Any:
    if node is None:
        return value
    if isinstance(value, str):
        text = _expanded(node)
        return EnvironmentText(value, text) if ENVIRONMENT in text else value
    if isinstance(node, DictConfig | ListConfig):
        node = node._maybe_dereference_node()
        if is_dataclass(value):
            return marked(value, node)
        if isinstance(value, dict):
            return {key: _marked(item, node._get_node(key)) for key, item in value.items()}
        if isinstance(value, list):
            return [_marked(item, node._get_node(index)) for index, item in enumerate(value)]
    return value


def _expanded(node: Any, depth: int = DEEPEST) -> str:
    """Return the text of a node as it is written, with what its references name in their place."""
    text = node._value()
    if not isinstance(text, str) or not node._is_interpolation() or not depth:
        return str(text)

    def named(match: re.Match[str]) -> str:
        target = node._get_root()
        if match[1]:
            target = node
            for _ in match[1]:
                target = target._get_parent()
        for name in match[2].split("."):
            target = target._get_node(name, validate_access=False) if isinstance(target, DictConfig) else None
        return match[0] if target is None or isinstance(target, DictConfig) else _expanded(target, depth - 1)

    return REFERENCE.sub(named, text)
