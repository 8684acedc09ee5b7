"""Runs a verb as a Hydra application: help, --cfg, --multirun, --config-dir and overrides as Hydra users know them."""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Generic, TypeVar

from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from pipelines.command import hydra_adapter
from pipelines.command.configuration_errors import explain, forbid_unknown_keys, unknown_below
from pipelines.command.help_page import help_page
from pipelines.command.renamed_keys import renamed_override
from pipelines.command.verb import (
    Outcome,
    Output,
    VerbSettings,
    attempt,
    failed,
    log_plainly,
    print_outcomes,
    stay_private,
    worst_exit_code,
)
from pipelines.command.verbs import VERBS
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
    hydra_adapter.prepare_hydra()
    folders: list[Path] = []
    try:
        args = _with_action(verb, hydra_adapter.parse_arguments(arguments))
        args.overrides = [renamed_override(word) for word in args.overrides]
        first, second = _folders(args)
        folders = [folder for folder in (first, second) if folder]
        _store_schemas(verb, folders)
        outcomes = _run(verb, args, first, second)
    except Exception as error:  # those of the task itself are outcomes already
        outcomes = [failed(_explained(error, verb, arguments, folders), debug=_requested(arguments, "debug") == "true")]
        output = Output.json if _requested(arguments, "output") == Output.json.value else Output.text
        print_outcomes(outcomes, output, as_list=bool({"--multirun", "-m"} & set(arguments)))
    return worst_exit_code(outcomes)


def _explained(error: Exception, verb: Verb[Any], arguments: Sequence[str], folders: Sequence[Path]) -> Exception:
    """Return the error of composing a configuration as one message."""
    if not isinstance(error, HydraException | OmegaConfBaseException | YAMLError | UnicodeDecodeError):
        return error
    return ConfigurationError(unknown_below(verb.schema, list(arguments)) or explain(error, folders))


def _requested(arguments: Sequence[str], key: str) -> str:
    """Return the value of a setting in the arguments, in whatever form Hydra takes it, when no configuration exists."""
    requested = ""
    for word in arguments:
        with suppress(HydraException):
            name, value = hydra_adapter.parse_override(word)
            requested = value.lower() if name == key else requested
    return requested


def _with_action(verb: Verb[Any], args: argparse.Namespace) -> argparse.Namespace:
    """Return the arguments with the action, a plain word, written as the override action=..."""
    words = [word for word in args.overrides if verb.actions and word.isidentifier()]
    if len(words) > 1:
        raise ConfigurationError(f"one action at a time, received {' and '.join(words)}; give the commands one by one")
    for word in words:
        actions = [action.value for action in verb.actions or ()]
        if word not in actions:
            raise ConfigurationError(f"unknown action '{word}' of {verb.name}; {nearest(word, actions)}")
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
    """Return a schema as Hydra stores it; a mapping from text accepts any names."""
    node: DictConfig = OmegaConf.structured(schema)
    for mapping in hydra_adapter.open_mappings(node):
        OmegaConf.set_struct(mapping, False)
    return node


def groups_of(verb: Verb[Any]) -> dict[str, list[str]]:
    """Return the choices of each configuration group of a verb."""
    groups: dict[str, Any] = {**dict.fromkeys(verb.groups, ()), **verb.choices()}
    return {
        group: sorted({path.stem for path in (configuration_folder() / group).glob("*.yaml")}.union(names))
        for group, names in groups.items()
    }


def _run(verb: Verb[Any], args: argparse.Namespace, first: Path, second: Path | None) -> list[Outcome]:
    def job(config: DictConfig) -> tuple[Outcome, Output]:
        outcome = _run_job(verb, config, [folder for folder in (first, second) if folder])
        if not args.multirun or config.output is Output.text:
            print_outcomes([outcome], config.output)
        return outcome, config.output  # to Hydra's launcher, which may be in another process

    if args.hydra_help or args.cfg or args.info or args.shell_completion:
        hydra_adapter.show(verb.name, args, verb.task, first, second)
        return []
    name = args.config_name or verb.name
    with hydra_adapter.application(verb.name, verb.task.__module__, first, second) as application:
        if args.help:
            print(_help(verb, application.compose(name, args.overrides)), end="")
            return []
        if not args.multirun:
            outcome, _ = application.run(name, job, args.overrides)
            return [outcome]
        answers: list[tuple[Outcome, Output]] = application.sweep(name, job, args.overrides)
    for_scripts = [outcome for outcome, output in answers if output is Output.json]
    if for_scripts:
        print_outcomes(for_scripts, Output.json, as_list=True)
    return [outcome for outcome, _ in answers]


def _help(verb: Verb[Any], config: DictConfig) -> str:
    file = configuration_folder() / f"{verb.name}.yaml"
    return help_page(verb.name, VERBS[verb.name].meaning, file, verb.schema, config, groups_of(verb))


def _run_job(verb: Verb[Any], config: DictConfig, folders: Sequence[Path]) -> Outcome:
    try:
        forbid_unknown_keys(config)
        settings = OmegaConf.to_object(hydra_adapter.with_decoded_keys(config))
    except (ConfigurationError, OmegaConfBaseException) as error:
        return failed(error if isinstance(error, ConfigurationError) else ConfigurationError(explain(error, folders)))
    assert isinstance(settings, verb.schema)
    return attempt(verb.task, settings)


def _folders(args: argparse.Namespace) -> tuple[Path, Path | None]:
    """Return the folders to search, in order: the user's, where one is given, before ours."""
    ours = configuration_folder()
    if args.config_dir is None:
        return ours, None
    theirs = Path(args.config_dir).resolve()
    if not theirs.is_dir():
        raise ConfigurationError(f"--config-dir '{theirs}' is not a folder; create it or correct the path")
    return theirs, ours
