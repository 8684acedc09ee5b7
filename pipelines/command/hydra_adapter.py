"""All use of Hydra's internal modules. Written for hydra-core 1.3; tests/pipelines/command names the version."""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import hydra.version
from hydra._internal.core_plugins import file_config_source, structured_config_source
from hydra._internal.hydra import Hydra
from hydra._internal.sources_registry import SourcesRegistry
from hydra._internal.utils import _run_hydra, create_automatic_config_search_path, get_args_parser
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import QuotedString, ValueType
from hydra.core.utils import JobReturn
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from pipelines.command.own_packages import found_by_children
from pipelines.command.renamed_keys import rename_keys

VERSION = "1.3"

GLOBAL = "_global_"

SCHEMA, DEFAULTS = "_schema", "_defaults"
"""How the names of settings end that files build on and nobody chooses."""

SIMILARITY = 0.75
"""Flags are this similar (`difflib`) where one is taken for a misspelling of the other."""

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


class StructuredConfigSource(structured_config_source.StructuredConfigSource):
    """Settings without a file. Schemas, which files build on, are not among the choices: of a glob, or of a message."""

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Return the choices of a group."""
        return [name for name in super().list(config_path, results_filter) if not name.endswith((SCHEMA, DEFAULTS))]


def prepare_hydra() -> None:
    """Set Hydra's behaviour to that of the version that this module was written for, and read files with old keys."""
    hydra.version.setbase(VERSION)
    SourcesRegistry.instance().types.update(file=FileConfigSource, structured=StructuredConfigSource)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Return Hydra's flags and overrides, in any order. Raises HydraException for an unknown flag."""
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        unknown = re.search(r"unrecognized arguments: (--?[\w-]+)", message)
        close = get_close_matches(unknown[1], flags(), n=1, cutoff=SIMILARITY) if unknown else []
        advice = f"did you mean {close[0]}? " if close else ""
        raise HydraException(f"{message}; {advice}--hydra-help lists the flags")

    parser.error = refuse  # type: ignore[method-assign]
    parsed = parser.parse_intermixed_args(list(arguments))
    parsed.overrides = [with_coded_keys(word) for word in parsed.overrides]
    return parsed


def flags() -> list[str]:
    """Return Hydra's flags."""
    return [name for name in get_args_parser()._option_string_actions if name.startswith("--")]


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


def override_values(word: str) -> tuple[str, list[object]]:
    """Return the key of an override and its values, those of a list and of a sweep one by one.

    What does not parse, what depends on other settings, and a glob, which has names that exist, have none.

    >>> override_values("policy=eu,'a b'"), override_values("+experiment=[a,b]"), override_values("~policy")
    (('policy', ['eu', 'a b']), ('experiment', ['a', 'b']), ('policy', []))
    """
    try:
        override = OverridesParser.create().parse_override(word)
    except HydraException:
        return "", []
    if override.is_delete() or override.value_type is ValueType.GLOB_CHOICE_SWEEP:
        return override.key_or_group, []
    value = override.value()
    values: list[object] = list(override.sweep_iterator()) if override.is_choice_sweep() else [value]
    values = value if isinstance(value, list) else values
    texts = [one.text if isinstance(one, QuotedString) else one for one in values]
    return override.key_or_group, [one for one in texts if not (isinstance(one, str) and "${" in one)]


class Application:
    """A Hydra application: configuration files of several folders, composed and run."""

    def __init__(self, hydra_application: Hydra) -> None:
        self._hydra = hydra_application

    def compose(self, name: str, overrides: list[str]) -> DictConfig:
        """Return the composed configuration."""
        return self._hydra.compose_config(name, overrides, run_mode=RunMode.RUN)

    def options(self, group: str) -> list[str]:
        """Return the choices of a group of Hydra's own."""
        return list(self._hydra.config_loader.get_group_options(group))

    def is_sweep(self, name: str, overrides: list[str]) -> bool:
        """Return whether the configuration files ask for a sweep (hydra.mode); one that does not compose does not."""
        return self._hydra.get_mode(name, list(overrides)) is RunMode.MULTIRUN

    def sweep_of_files(self, name: str, overrides: list[str]) -> list[str]:
        """Return the overrides of a sweep that the configuration files ask for (hydra.sweeper.params)."""
        config = self._hydra.compose_config(name, overrides, run_mode=RunMode.MULTIRUN)
        params = OmegaConf.select(config, "hydra.sweeper.params") or {}
        return [f"{key}={value}" for key, value in params.items()]

    def run(self, name: str, job: Callable[[DictConfig], Any], overrides: list[str]) -> Any:
        """Run one job and return what it returns."""
        return self._hydra.run(name, job, [*overrides, "hydra.mode=RUN"]).return_value

    def sweep(self, name: str, job: Callable[[DictConfig], Any], overrides: list[str]) -> list[Any]:
        """Run the jobs of a sweep and return what they return, in order."""
        with found_by_children():
            batches: list[list[JobReturn]] = self._hydra.multirun(name, job, [*overrides, "hydra.mode=MULTIRUN"])
        return [returned.return_value for batch in batches for returned in batch]


@contextmanager
def application(name: str, module: str, folders: Sequence[Path]) -> Iterator[Application]:
    """Yield an application that searches folders in order, the user's before ours; Hydra's own order is the reverse.

    An application of the user's, in which this one may run, goes on as it was.
    """
    search_path = create_automatic_config_search_path(None, module, str(folders[0]))
    for folder in folders[1:]:
        search_path.prepend("command-line", f"file://{folder}", anchor=SearchPathQuery(provider="schema"))
    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        yield Application(Hydra.create_main_hydra2(name, search_path))
    finally:
        GlobalHydra.instance().hydra = outer


def show(name: str, args: argparse.Namespace, task: Callable[[Any], Any], folders: Sequence[Path]) -> None:
    """Print the output of one of Hydra's own flags (--cfg, --info, --hydra-help) and end the process as Hydra does."""
    args.config_path, args.config_dir = str(folders[0]), str(folders[1]) if len(folders) > 1 else None
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


@contextmanager
def without_job() -> Iterator[None]:
    """Hide the job that runs, or ran last, in this process: it may be one of the user's own Hydra application."""
    config = HydraConfig.instance().cfg
    HydraConfig.instance().cfg = None
    try:
        yield
    finally:
        HydraConfig.instance().cfg = config


def chosen_option(group: str) -> str | None:
    """Return the option of a configuration group in the running job, None without one."""
    return chosen_options().get(group)


def is_named(group: str, *, otherwise: bool) -> bool:
    """Return whether the running job names an option of a group, or a value in it, beside the default option.

    `otherwise` is the answer where no application runs: a function was called with settings.
    """
    if not HydraConfig.initialized():
        return otherwise
    by_words = any(re.match(rf"[+~]*{group}[=.@]", word) for word in job_overrides())
    return by_words or chosen_option(group) not in (None, "default")


def chosen_options() -> dict[str, str | None]:
    """Return the option of each configuration group in the running job; none where a function was called."""
    if not HydraConfig.initialized():
        return {}
    choices = HydraConfig.get().runtime.choices
    return {str(group): None if option is None else str(option) for group, option in choices.items()}


def job_number() -> int:
    """Return the number of the running job of a sweep, from 1."""
    return int(HydraConfig.get().job.num) + 1


def job_overrides() -> list[str]:
    """Return the overrides of the running job as they were written, those of a sweep included; none of a function."""
    if not HydraConfig.initialized():
        return []
    words = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    assert isinstance(words, list)
    return [str(word) for word in words]
