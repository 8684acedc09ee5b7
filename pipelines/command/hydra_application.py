"""Runs a verb as a Hydra application: help, --cfg, --multirun, --config-dir and overrides as Hydra users know them."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

import hydra.version
from hydra._internal.hydra import Hydra
from hydra._internal.utils import _run_hydra, create_automatic_config_search_path, get_args_parser
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from pipelines.command.verb import (
    Outcome,
    Output,
    VerbSettings,
    attempt,
    failed,
    log_plainly,
    stay_private,
    tell,
    worst_exit_code,
)
from pipelines.errors import ConfigurationError, nearest

S = TypeVar("S", bound=VerbSettings)


@dataclass(frozen=True)
class Verb(Generic[S]):
    """One verb: its primary file in conf/, the schema it must satisfy, and the task that it runs."""

    name: str
    schema: type[S]
    task: Callable[[S], Outcome]
    groups: Mapping[str, Mapping[str, type[Any]]]
    """Schemas of configuration groups: group -> option -> dataclass."""
    actions: type[Enum] | None = None
    """The words that may follow the verb; the one given becomes the setting `action`."""
    choices: Callable[[], Mapping[str, Mapping[str, Any]]] = dict
    """Returns settings that need no file: group -> option -> its default settings, an instance of its schema."""


def run(verb: Verb[Any], arguments: Sequence[str]) -> int:
    """Run a verb with the user's arguments and return the exit code."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands its errors to us instead of printing and exiting
    stay_private()
    log_plainly()
    OmegaConf.register_new_resolver("choices", lambda: _choices(verb), replace=True)
    hydra.version.setbase("1.3")
    try:
        args = _with_action(verb, _parse(arguments))
        _store_schemas(verb, [Path(folder) for folder in _folders(args) if folder])
        outcomes = _run(verb, args)
    except (ConfigurationError, HydraException, OmegaConfBaseException) as error:
        told = error if isinstance(error, ConfigurationError) else ConfigurationError(_explain(error))
        outcomes = [failed(told, debug=_asked(arguments, "debug") == "true")]
        wish = Output.json if _asked(arguments, "output") == Output.json.value else Output.text
        tell(outcomes, wish, as_list=bool({"--multirun", "-m"} & set(arguments)))
    return worst_exit_code(outcomes)


def _asked(arguments: Sequence[str], key: str) -> str:
    """Return what the arguments ask of a setting, in whatever form Hydra takes it, when no configuration exists."""
    found = ""
    for word in arguments:
        with suppress(HydraException):
            override = OverridesParser.create().parse_override(word)
            if override.key_or_group == key and not override.is_delete() and not override.is_sweep_override():
                found = str(override.value()).lower()
    return found


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return Hydra's flags and overrides, in any order."""

    def refuse(message: str) -> NoReturn:
        raise HydraException(f"{message}; flags are listed by --hydra-help")

    parser = get_args_parser()
    parser.error = refuse  # type: ignore[method-assign]
    return parser.parse_intermixed_args(list(arguments))


def _with_action(verb: Verb[Any], args: argparse.Namespace) -> argparse.Namespace:
    """Return the arguments with the plain word among them written as the override that it stands for."""
    words = [word for word in args.overrides if verb.actions and word.isidentifier()]
    if len(words) > 1:
        raise ConfigurationError(f"one action at a time, received {' and '.join(words)}; give the commands one by one")
    for word in words:
        known = [action.value for action in verb.actions or ()]
        if word not in known:
            raise ConfigurationError(f"unknown action '{word}' of {verb.name}; {nearest(word, known)}")
        args.overrides = [f"action={word}" if one == word else one for one in args.overrides]
    return args


def configuration_folder() -> Path:
    """Return the conf/ folder: beside this package in a clone, the package `thinfile_conf` in an installed wheel."""
    beside = Path(__file__).resolve().parents[2]
    return next(folder for folder in (beside / "conf", beside / "thinfile_conf") if folder.is_dir())


def _store_schemas(verb: Verb[Any], folders: Sequence[Path]) -> None:
    store = ConfigStore.instance()
    store.store(name=f"{verb.name}_schema", node=_schema(verb.schema))
    for group, options in verb.groups.items():
        for option, schema in options.items():
            store.store(group=group, name=f"{option}_schema", node=_schema(schema))
    for group, choices in verb.choices().items():
        for option, settings in choices.items():
            store.store(group=group, name=f"{option}_schema", node=_schema(type(settings)))
            store.store(group=group, name=f"{option}_defaults", node=_schema(settings))
            if any((folder / group / f"{option}.yaml").exists() for folder in folders):
                store.repo.get(group, {}).pop(f"{option}.yaml", None)  # Hydra warns about a schema of a file's name
            else:
                store.store(group=group, name=option, node=_schema(settings))


def _schema(schema: Any) -> DictConfig:
    """Return a schema as Hydra stores it; a mapping from text to text takes names that nobody knows beforehand."""
    node: DictConfig = OmegaConf.structured(schema)
    for mapping in _texts_by_name(node):
        OmegaConf.set_struct(mapping, False)
    return node


def _texts_by_name(node: DictConfig) -> Iterator[DictConfig]:
    for key in node:
        child = None if OmegaConf.is_missing(node, key) else node._get_node(key)
        if isinstance(child, DictConfig) and not child._is_none():
            if is_dataclass(OmegaConf.get_type(child)):
                yield from _texts_by_name(child)
            elif child._metadata.element_type is str:
                yield child


def _choices(verb: Verb[Any]) -> str:
    """Return the groups of a verb and their options, for the help page."""
    groups: dict[str, Any] = {**dict.fromkeys(verb.groups, ()), **verb.choices()}
    options = {
        group: sorted({path.stem for path in (configuration_folder() / group).glob("*.yaml")}.union(names))
        for group, names in groups.items()
    }
    return "\n".join(f"  {group}={'|'.join(names)}" for group, names in options.items()) or "  none"


def _run(verb: Verb[Any], args: argparse.Namespace) -> list[Outcome]:
    def job(config: DictConfig) -> tuple[Outcome, Output]:
        outcome = _run_job(verb, config)
        if not args.multirun or config.output is Output.text:
            tell([outcome], config.output)
        return outcome, config.output  # to Hydra's launcher, which may be in another process

    if args.help or args.hydra_help or args.cfg or args.info or args.shell_completion:
        _show(verb, args)
        return []
    with _application(verb, args) as application:
        if not args.multirun:
            single = application.run(args.config_name or verb.name, job, [*args.overrides, "hydra.mode=RUN"])
            return [single.return_value[0]]
        batches: list[list[JobReturn]] = application.multirun(
            args.config_name or verb.name, job, [*args.overrides, "hydra.mode=MULTIRUN"]
        )
    answers: list[tuple[Outcome, Output]] = [returned.return_value for batch in batches for returned in batch]
    for_scripts = [outcome for outcome, output in answers if output is Output.json]
    if for_scripts:
        tell(for_scripts, Output.json, as_list=True)
    return [outcome for outcome, _ in answers]


def _run_job(verb: Verb[Any], config: DictConfig) -> Outcome:
    try:
        _forbid_unknown_keys(config)
        settings = OmegaConf.to_object(config)
    except (ConfigurationError, OmegaConfBaseException) as error:
        return failed(error if isinstance(error, ConfigurationError) else ConfigurationError(_explain(error)))
    assert isinstance(settings, verb.schema)
    return attempt(verb.task, settings)


@contextmanager
def _application(verb: Verb[Any], args: argparse.Namespace) -> Iterator[Hydra]:
    """Yield a Hydra application whose search path has the user's folder before ours."""
    first, second = _folders(args)
    search_path = create_automatic_config_search_path(None, verb.task.__module__, first)
    if second:
        search_path.prepend("command-line", f"file://{second}", anchor=SearchPathQuery(provider="schema"))
    try:
        yield Hydra.create_main_hydra2(verb.name, search_path)
    finally:
        GlobalHydra.instance().clear()


def _show(verb: Verb[Any], args: argparse.Namespace) -> None:
    args.config_path, args.config_dir = _folders(args)
    sys.argv[0] = f"thinfile {verb.name}"
    _run_hydra(args, get_args_parser(), verb.task, args.config_path, verb.name)


def _folders(args: argparse.Namespace) -> tuple[str, str | None]:
    """Return the folders to search, in order: Hydra lets ours win over --config-dir, a user expects the reverse."""
    ours = str(configuration_folder())
    if args.config_dir is None:
        return ours, None
    theirs = Path(args.config_dir).resolve()
    if not theirs.is_dir():
        raise HydraException(f"--config-dir must be a folder, received '{theirs}'; create it or correct the path")
    return str(theirs), ours


def _forbid_unknown_keys(config: DictConfig) -> None:
    """Raise for keys that the schema does not have: `+key=value` slips past Hydra's own check."""
    for path, node in _structured(config):
        known = {member.name for member in fields(OmegaConf.get_type(node))}  # type: ignore[arg-type]
        for key in sorted(set(map(str, node.keys())) - known):
            raise ConfigurationError(f"unknown key '{path}{key}'; {nearest(key, known)}")


def _structured(node: DictConfig, path: str = "") -> Iterator[tuple[str, DictConfig]]:
    if is_dataclass(OmegaConf.get_type(node)):
        yield path, node
    for key in node:
        child = None if OmegaConf.is_missing(node, key) else node[key]
        if isinstance(child, DictConfig):
            yield from _structured(child, f"{path}{key!s}.")


def _explain(error: Exception) -> str:
    """Return one message for an error of Hydra or OmegaConf, with the nearest right names."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, option = str(error.missing_cfg_file).rpartition("/")
        options = [name for name in error.options or () if not name.endswith(("_schema", "_defaults"))]
        return f"unknown choice {group or 'configuration'}={option}; {nearest(option, options)}"
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    if isinstance(cause, OmegaConfBaseException) and cause.full_key:
        key = str(cause.full_key)
        known = _keys_beside(cause)
        if known and key.rpartition(".")[2] not in known:
            return f"unknown key '{key}'; {nearest(key.rpartition('.')[2], known)}"
        if isinstance(cause, MissingMandatoryValue):
            return f"{key} must be given, received nothing; add {key}=..."
        return f"{key}: {_first_line(cause).rstrip('.')}; correct the value"
    if isinstance(error, OverrideParseException):
        received = f"received '{error.override}' ({_first_line(cause)})"
        return f"an override is written key=value, {received}; quote what is special to the shell and to Hydra"
    return _first_line(error)


def _keys_beside(error: OmegaConfBaseException) -> list[str]:
    """Return the keys that exist where a key was asked for; empty where items are not named."""
    if is_dataclass(error.object_type):
        return [member.name for member in fields(error.object_type)]
    return [str(key) for key in error.parent_node] if isinstance(error.parent_node, DictConfig) else []


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
