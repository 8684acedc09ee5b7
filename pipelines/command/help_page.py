"""The page that `thinfile VERB --help` prints: examples, then one entry for each setting, at 80 columns."""

import os
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from pipelines.command.settings_reference import Setting, settings_of, written

WIDTH = 80
COLUMN = 30
"""Where meanings begin."""

MOST_EXAMPLES = 4

WORKSPACE = "${oc.env:THINFILE_WORKSPACE,workspace}"
"""The workspace as conf/defaults.yaml declares it."""

FOOTER = """\
--cfg job shows the composed YAML, --multirun sweeps over key=a,b,c,
--config-dir FOLDER (or THINFILE_CONFIG_DIR) puts your own files first,
--hydra-help lists Hydra's flags."""


def help_page(
    name: str, meaning: str, file: Path, schema: type, config: DictConfig, groups: Mapping[str, Sequence[str]]
) -> str:
    """Return the help of a verb.

    `file` is its configuration file, whose first comments are the examples; `config` the composed configuration, whose
    values are the defaults; `groups` has the choices of each configuration group.
    """
    chosen = dict(classes_of(config))
    values = OmegaConf.to_container(config, resolve=False, enum_to_str=True)
    settings = [one for one in settings_of(schema, chosen=chosen) if one.meaning]
    own = [one for one in settings if one.key.partition(".")[0] not in groups]
    parts = [
        f"usage: thinfile {name} [key=value ...]",
        textwrap.fill(f"{meaning[0].upper()}{meaning[1:]}.", WIDTH),
        "\n".join(["examples:", *(f"  {line}" for line in examples(file)[:MOST_EXAMPLES])]),
        "\n".join(["settings:", *_entries(own, values)]),
    ]
    for group, choices in groups.items():
        members = [one for one in settings if one.key.startswith(f"{group}.")]
        title = textwrap.fill(f"{group}={' | '.join(choices)}", WIDTH, subsequent_indent="  ")
        meant = next((one.meaning for one in settings if one.key == group), "")
        parts.append("\n".join([title, *([f"  {meant}"] if meant else []), *_entries(members, values)]))
    return "\n\n".join([*parts, FOOTER]) + "\n"


def examples(file: Path) -> list[str]:
    """Return the commands in the first comments of a configuration file, without their remarks."""
    lines = file.read_text().splitlines()
    commands = [
        line.removeprefix("# ").partition("   ")[0].rstrip() for line in lines if line.startswith("# thinfile ")
    ]
    return [command for command in commands if not command.endswith("\\") and len(command) <= WIDTH - 2]


def classes_of(node: DictConfig, prefix: str = "") -> Iterable[tuple[str, type]]:
    """Yield the keys of a composed configuration that hold settings, with their classes."""
    for key in node:
        if not OmegaConf.is_missing(node, key) and isinstance(node[key], DictConfig):
            kind = OmegaConf.get_type(node[key])
            if kind is not None and is_dataclass(kind):
                yield f"{prefix}{key!s}", kind
                yield from classes_of(node[key], f"{prefix}{key!s}.")


def _entries(settings: Iterable[Setting], values: Any) -> Iterable[str]:
    for one in settings:
        head = f"  {one.key}"
        if one.allowed:
            value = written(_value(values, one.key, one.default))
            head += f"={_short(value, WIDTH - len(head) - 1)}" if value else "=..."
        rest = " ".join([one.meaning, *([f"({one.allowed})"] if one.allowed else [])])
        lines = textwrap.wrap(rest, WIDTH - COLUMN, break_on_hyphens=False)
        if len(head) < COLUMN:
            yield f"{head:<{COLUMN}}{lines[0]}"
            lines = lines[1:]
        else:
            yield head
        yield from (f"{'':<{COLUMN}}{line}" for line in lines)


def _value(values: Any, key: str, default: str) -> Any:
    for name in key.split("."):
        if not isinstance(values, dict) or name not in values:
            return default
        values = values[name]
    return os.environ.get("THINFILE_WORKSPACE", "workspace") if values == WORKSPACE else values


def _short(value: str, room: int) -> str:
    """Return a value on one line of `room` characters; a longer one ends in three dots."""
    value = " ".join(value.split())
    return value if len(value) <= room else f"{value[: room - 3]}..."
