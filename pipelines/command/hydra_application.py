"""Runs a verb as a Hydra application: help, --cfg, --multirun, --config-dir and overrides as Hydra users know them."""

import argparse
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from pipelines.command import hydra_adapter
from pipelines.command.configuration_errors import explain, forbid_unknown_keys, unknown_below, unknown_in_choice
from pipelines.command.environment_texts import marked
from pipelines.command.flags import check_flags
from pipelines.command.help_page import classes_of, help_page
from pipelines.command.names import check_choices, check_value
from pipelines.command.own_packages import ROOT
from pipelines.command.renamed_keys import renamed_override
from pipelines.command.settings_reference import Setting, settings_of
from pipelines.command.sweep import SweptJob, print_sweep, swept_job
from pipelines.command.verb import (
    Outcome,
    Output,
    VerbSettings,
    attempt,
    failed,
    log_plainly,
    perform,
    print_outcomes,
    quote_ids,
    stay_private,
    worst_exit_code,
)
from pipelines.command.verbs import VERBS
from pipelines.errors import ConfigurationError, RequestError, ThinfileError, nearest
from pipelines.secrets.private_files import private_umask

S = TypeVar("S", bound=VerbSettings)

CONFIG_DIR = "THINFILE_CONFIG_DIR"
"""The variable with the folder of a team's configuration, for commands without --config-dir."""

LAUNCHER = "hydra/launcher"


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
    ids: Sequence[str] = ()
    """Settings that are texts although Hydra would read some as numbers."""
    short_keys: Mapping[str, str] = field(default_factory=dict)
    """What may be written for a key: anchor=FILE for anchor.file=FILE."""
    figures: Mapping[str, str] = field(default_factory=dict)
    """Columns of the table of a sweep, by title where each is found in the answer."""

    def words(self, arguments: Sequence[str]) -> list[str]:
        """Return the arguments as Hydra reads them."""
        return quote_ids([self._whole_key(word) for word in arguments], *self.ids)

    def _whole_key(self, word: str) -> str:
        key, mark, value = word.partition("=")
        return f"{self.short_keys.get(key, key)}={value}" if mark else word

    @property
    def group_names(self) -> list[str]:
        """The names of the configuration groups."""
        return [*self.groups, *self.choices()]

    @property
    def whole_files(self) -> list[str]:
        """The groups without a schema: their files set any of the verb's settings, and may ask for a sweep."""
        return [group for group, options in self.groups.items() if not options]


def run(verb: Verb[Any], arguments: Sequence[str]) -> int:
    """Run a verb with the user's arguments and return the exit code; what it writes is private."""
    with private_umask():
        return _run_verb(verb, verb.words(arguments))


def _run_verb(verb: Verb[Any], arguments: Sequence[str]) -> int:
    log_plainly()
    folders: list[Path] = []
    try:
        args = _parsed(verb, arguments, folders)
        outcomes = _run(verb, args, folders)
    except Exception as error:  # those of the task itself are outcomes already
        outcomes = [failed(_explained(error, verb, arguments, folders), debug=_requested(arguments, "debug") == "true")]
        output = Output.json if _requested(arguments, "output") == Output.json.value else Output.text
        print_outcomes(outcomes, output, as_list=bool({"--multirun", "-m"} & set(arguments)))
    return worst_exit_code(outcomes)


def answer(verb: Verb[S], arguments: Sequence[str]) -> Outcome:
    """Run a verb once and return its outcome, whose errors are raised; nothing is printed."""
    folders: list[Path] = []

    def job(config: DictConfig) -> Outcome | Exception:
        try:
            return _with_same_folder(perform(verb.task, _settings(verb, config, folders)), folders)
        except Exception as error:  # Hydra would print it
            return error

    words = verb.words(arguments)
    try:
        args = _parsed(verb, words, folders)
        with hydra_adapter.application(verb.name, verb.task.__module__, folders) as application:
            outcome: Outcome | Exception = application.run(verb.name, job, args.overrides)
    except Exception as error:
        outcome = _explained(error, verb, words, folders)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _parsed(verb: Verb[Any], arguments: Sequence[str], folders: list[Path]) -> argparse.Namespace:
    """Return Hydra's flags and overrides, checked; `folders` gets those of the configuration, in order."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands its errors to us instead of printing and exiting
    stay_private()
    hydra_adapter.prepare_hydra()
    args = _with_action(verb, hydra_adapter.parse_arguments(arguments))
    check_flags(args)
    args.overrides = [renamed_override(word) for word in args.overrides]
    _check_names(verb, args.overrides)
    check_choices({"configuration": args.config_name})
    folders.extend(_folders(args))
    _store_schemas(verb, folders)
    return args


def _explained(error: Exception, verb: Verb[Any], arguments: Sequence[str], folders: Sequence[Path]) -> Exception:
    """Return the error of composing a configuration as one message."""
    of_resolver = next((cause for cause in _causes(error) if isinstance(cause, ThinfileError)), None)
    if of_resolver is not None:
        return of_resolver
    if not isinstance(error, HydraException | OmegaConfBaseException | YAMLError | UnicodeDecodeError):
        return error
    return ConfigurationError(
        unknown_below(verb.schema, list(arguments))
        or unknown_in_choice(error, arguments, verb.choices(), folders)
        or explain(error, folders, verb.group_names)
    )


def _causes(error: BaseException | None) -> Iterator[Exception]:
    while isinstance(error, Exception):
        yield error
        error = error.__cause__ or error.__context__


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


def _check_names(verb: Verb[Any], overrides: Sequence[str]) -> None:
    """Raise RequestError for an override that gives a name which is not one; Hydra makes folders before a job runs."""
    has_model = any(member.name == "model" for member in fields(verb.schema))
    for word in overrides:
        key, values = hydra_adapter.override_values(word)
        is_group = key in verb.group_names or "/" in key
        for value in values:
            if is_group and value is None:
                raise ConfigurationError(
                    f"{key}=null names no choice; leave out {key} for the default, or name one that "
                    f"`thinfile {verb.name} --help` lists"
                )
            if is_group:
                check_choices({key: str(value)})
            else:
                check_value(key, value, has_model=has_model)


def configuration_folder() -> Path:
    """Return the conf/ folder, which lies beside the packages."""
    return ROOT / "conf"


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


def groups_of(verb: Verb[Any], folders: Sequence[Path]) -> dict[str, list[str]]:
    """Return the choices of each configuration group of a verb."""
    groups: dict[str, Any] = {**dict.fromkeys(verb.groups, ()), **verb.choices()}
    return {
        group: sorted({path.stem for folder in folders for path in (folder / group).glob("*.yaml")}.union(names))
        for group, names in groups.items()
    }


def described(verb: Verb[Any], words: Sequence[str]) -> tuple[dict[str, list[str]], list[Setting]]:
    """Return the choices of each configuration group, and the settings that the words of a command choose."""
    hydra_adapter.prepare_hydra()
    try:
        args = hydra_adapter.parse_arguments(words)
    except HydraException:
        args = hydra_adapter.parse_arguments([])
    folders = _folders(args)
    _store_schemas(verb, folders)
    with hydra_adapter.application(verb.name, verb.task.__module__, folders) as application:
        launchers = {LAUNCHER: application.options(LAUNCHER)}
        attempts: list[list[str]] = [args.overrides, []]
        for overrides in attempts:  # those of a sweep, or half-written ones, do not compose
            with suppress(Exception):
                chosen = dict(classes_of(application.compose(verb.name, overrides)))
                return groups_of(verb, folders) | launchers, list(settings_of(verb.schema, chosen=chosen))
    return groups_of(verb, folders) | launchers, list(settings_of(verb.schema))


def _run(verb: Verb[Any], args: argparse.Namespace, folders: Sequence[Path]) -> list[Outcome]:
    if args.hydra_help or args.cfg or args.info:
        hydra_adapter.show(verb.name, args, verb.task, folders)
        return []
    name = args.config_name or verb.name
    with hydra_adapter.application(verb.name, verb.task.__module__, folders) as application:
        if args.help:
            print(_help(verb, application.compose(name, args.overrides), folders), end="")
            return []
        may_sweep = any(word.partition("=")[0] in verb.whole_files for word in args.overrides)
        is_sweep = args.multirun or (may_sweep and application.is_sweep(name, args.overrides))
        if not is_sweep:
            return [application.run(name, _job(verb, folders), args.overrides)]
        _check_names(verb, application.sweep_of_files(name, args.overrides))
        job = swept_job(verb.name, partial(_run_job, verb, folders=folders), args.overrides)
        jobs: list[SweptJob] = application.sweep(name, job, args.overrides)
    if not jobs:
        raise ConfigurationError("the sweep has no job: a glob of it matches no choice; --help lists the choices")
    print_sweep(jobs, verb.figures)
    return [job.outcome for job in jobs]


def _job(verb: Verb[Any], folders: Sequence[Path]) -> Callable[[DictConfig], Outcome]:
    """Return the function that runs a composed configuration and prints the outcome."""

    def job(config: DictConfig) -> Outcome:
        outcome = _run_job(verb, config, folders)
        print_outcomes([outcome], config.output)
        return outcome

    return job


def _help(verb: Verb[Any], config: DictConfig, folders: Sequence[Path]) -> str:
    file, groups = configuration_folder() / f"{verb.name}.yaml", groups_of(verb, folders)
    return help_page(verb.name, VERBS[verb.name].meaning, file, verb.schema, config, groups)


def _run_job(verb: Verb[Any], config: DictConfig, folders: Sequence[Path]) -> Outcome:
    try:
        settings = _settings(verb, config, folders)
    except RequestError as error:
        return failed(error)
    return _with_same_folder(attempt(verb.task, settings), folders)


def _settings(verb: Verb[S], config: DictConfig, folders: Sequence[Path]) -> S:
    """Return the settings of a composed configuration. Raises RequestError for what is wrong in it."""
    try:
        forbid_unknown_keys(config, verb.group_names)
        check_choices(hydra_adapter.chosen_options())
        config = hydra_adapter.with_decoded_keys(config)
        settings = marked(OmegaConf.to_object(config), config)
    except OmegaConfBaseException as error:
        raise ConfigurationError(explain(error, folders, verb.group_names)) from error
    assert isinstance(settings, verb.schema)
    return settings


def _with_same_folder(outcome: Outcome, folders: Sequence[Path]) -> Outcome:
    """Return an outcome whose next commands read the user's configuration folder, where a flag named one."""
    usual = os.environ.get(CONFIG_DIR)
    if len(folders) < 2 or (usual and Path(usual).resolve() == folders[0]):
        return outcome
    flag = f" --config-dir={shlex.quote(str(folders[0]))}"
    return replace(outcome, next_steps=[_with_flag(step, flag) for step in outcome.next_steps])


def _with_flag(step: str, flag: str) -> str:
    command, mark, comment = step.partition("    # ")  # a flag after the mark would belong to the comment
    return f"{command}{flag}{mark}{comment}" if step.startswith("thinfile ") else step


def _folders(args: argparse.Namespace) -> list[Path]:
    """Return the folders to search, in order: the user's, where one is given, before ours."""
    folder = args.config_dir or os.environ.get(CONFIG_DIR)
    if not folder:
        return [configuration_folder()]
    theirs = Path(folder).resolve()
    if not theirs.is_dir():
        given = "--config-dir" if args.config_dir else CONFIG_DIR
        raise ConfigurationError(f"{given} '{theirs}' is not a folder; create it or correct the path")
    return [theirs, configuration_folder()]
