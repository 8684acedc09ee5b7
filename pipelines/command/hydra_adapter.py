"""All use of Hydra's internal modules. Written for hydra-core 1.3; tests/pipelines/command names the version."""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, NoReturn

import hydra.version
from hydra._internal.core_plugins import file_config_source
from hydra._internal.hydra import Hydra
from hydra._internal.sources_registry import SourcesRegistry
from hydra._internal.utils import _run_hydra, create_automatic_config_search_path, get_args_parser
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from pipelines.command.renamed_keys import rename_keys

VERSION = "1.3"

GLOBAL = "_global_"

CODED = "quoted_key_"
"""How a key begins that has characters of Hydra's grammar: their bytes follow, as hexadecimal digits."""
QUOTED_KEY = re.compile(r"""([{,]\s*)(["'])(.*?)\2(\s*:)""")


class FileConfigSource(file_config_source.FileConfigSource):
    """YAML files, in which settings may still have their old names. Hydra keeps the first source of this name."""

    def load_config(self, config_path: str) -> ConfigResult:
        """Return a file with its old keys renamed."""
        result = super().load_config(config_path)
        if isinstance(result.config, DictConfig):
            group = config_path.rpartition("/")[0].replace("/", ".")
            package = result.header.get("package") or group
            settings = OmegaConf.to_container(result.config)
            assert isinstance(settings, dict)
            result.config = OmegaConf.create(rename_keys(settings, "" if package == GLOBAL else package))  # type: ignore[arg-type]
        return result


def prepare_hydra() -> None:
    """Set Hydra's behaviour to that of the version that this module was written for, and read files with old keys."""
    hydra.version.setbase(VERSION)
    SourcesRegistry.instance().types["file"] = FileConfigSource


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Return Hydra's flags and overrides, in any order. Raises HydraException for an unknown flag."""

    def refuse(message: str) -> NoReturn:
        raise HydraException(f"{message}; --hydra-help lists the flags")

    parser = get_args_parser()
    parser.error = refuse  # type: ignore[method-assign]
    parsed = parser.parse_intermixed_args(list(arguments))
    parsed.overrides = [with_coded_keys(word) for word in parsed.overrides]
    return parsed


def with_coded_keys(word: str) -> str:
    """Return an override in which the keys of a mapping that are in quotes, which Hydra refuses, are words.

    >>> with_coded_keys('data.special={"net=2": [-9], "net": [-8]}')
    'data.special={quoted_key_6e65743d32: [-9], net: [-8]}'
    """
    key, mark, value = word.partition("=")
    return f"{key}{mark}{QUOTED_KEY.sub(_coded, value)}" if value.startswith("{") else word


def with_decoded_keys(config: DictConfig) -> DictConfig:
    """Return a configuration with the keys that the user wrote (see `with_coded_keys`)."""
    for mapping in open_mappings(config):
        if any(str(key).startswith(CODED) for key in mapping):
            items = {_decoded(key): mapping._get_node(key) for key in mapping}
            OmegaConf.update(config, mapping._get_full_key(None), items, merge=False)
    return config


def _coded(match: re.Match[str]) -> str:
    name = match[3]
    is_word = re.fullmatch("[A-Za-z_]+", name) and name.lower() not in ("null", "true", "false", "inf", "nan")
    return match[1] + (name if is_word else CODED + name.encode().hex()) + match[4]


def _decoded(key: object) -> str:
    return bytes.fromhex(str(key).removeprefix(CODED)).decode() if str(key).startswith(CODED) else str(key)


def parse_override(word: str) -> tuple[str, str]:
    """Return key and value of a single override, empty where it deletes or sweeps. Raises HydraException."""
    override = OverridesParser.create().parse_override(word)
    if override.is_delete() or override.is_sweep_override():
        return "", ""
    return override.key_or_group, str(override.value())


class Application:
    """A Hydra application: configuration files of several folders, composed and run."""

    def __init__(self, hydra_application: Hydra) -> None:
        self._hydra = hydra_application

    def compose(self, name: str, overrides: list[str]) -> DictConfig:
        """Return the composed configuration."""
        return self._hydra.compose_config(name, overrides, run_mode=RunMode.RUN)

    def run(self, name: str, job: Callable[[DictConfig], Any], overrides: list[str]) -> Any:
        """Run one job and return what it returns."""
        return self._hydra.run(name, job, [*overrides, "hydra.mode=RUN"]).return_value

    def sweep(self, name: str, job: Callable[[DictConfig], Any], overrides: list[str]) -> list[Any]:
        """Run the jobs of a sweep and return what they return, in order."""
        batches: list[list[JobReturn]] = self._hydra.multirun(name, job, [*overrides, "hydra.mode=MULTIRUN"])
        return [returned.return_value for batch in batches for returned in batch]


@contextmanager
def application(name: str, module: str, first: Path, second: Path | None) -> Iterator[Application]:
    """Yield an application that searches the first folder before the second; Hydra's own order is the reverse."""
    search_path = create_automatic_config_search_path(None, module, str(first))
    if second is not None:
        search_path.prepend("command-line", f"file://{second}", anchor=SearchPathQuery(provider="schema"))
    try:
        yield Application(Hydra.create_main_hydra2(name, search_path))
    finally:
        GlobalHydra.instance().clear()


def show(name: str, args: argparse.Namespace, task: Callable[[Any], Any], first: Path, second: Path | None) -> None:
    """Print the output of one of Hydra's own flags (--cfg, --info, --hydra-help) and end the process as Hydra does."""
    args.config_path, args.config_dir = str(first), None if second is None else str(second)
    sys.argv[0] = f"thinfile {name}"
    _run_hydra(args, get_args_parser(), task, args.config_path, name)


def open_mappings(node: DictConfig) -> Iterator[DictConfig]:
    """Yield the mappings from text to plain values below a structured node; their keys are the user's."""
    for key in node:
        child = None if OmegaConf.is_missing(node, key) else node._get_node(key)
        if isinstance(child, DictConfig) and not child._is_none():
            if OmegaConf.get_type(child) not in (None, dict):
                yield from open_mappings(child)
            elif not is_dataclass(child._metadata.element_type):
                yield child
