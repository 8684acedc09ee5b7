"""Opens a retraining: the search that made the model of an alarm, repeated on the newest mature data."""

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitoring.alarms.alarm import Alarm
from monitoring.alarms.settings import RetrainSettings
from monitoring.windows.months import end_of
from pipelines.applications.settings import DataSettings, Source
from pipelines.command.renamed_keys import rename_keys
from pipelines.command.verb import override
from pipelines.errors import RequestError
from pipelines.marketplace.manifest import manifest_beside
from pipelines.marketplace.training_table import TRAINING
from pipelines.reading.locations import is_elsewhere
from pipelines.secrets.command_line import without_secrets
from pipelines.secrets.environment_text import EnvironmentText, as_written, resolved
from pipelines.secrets.private_files import make_folder
from pipelines.secrets.redaction import redacted
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.workspace import Workspace

EXPERIMENT = "retrain"
OF_THE_COMMAND = ("workspace", "output", "debug", "experiment_name", "overrides")
"""Settings of a record that belong to the command that made it."""

PATHS = ("path", "ttd_population")
"""Settings of a record with the paths of its tables."""

HYDRA = """\
  - override hydra/job_logging: none
  - override hydra/hydra_logging: none
"""

Command = tuple[str, ...]

AND = "&&"


def open_retraining(alarm: Alarm, workspace: Workspace, settings: RetrainSettings, folder: Path) -> list[Command]:
    """Write the settings of a retraining into a folder and return its commands, to be run one after the other.

    Data, candidate, policy and bad definition are those of the search that made the model of the alarm; the data are
    read again, from a marketplace up to the end of the alarm's period. A model without such a search gets the
    experiment `retrain` that Thinfile ships.
    """
    record = _record_of(alarm, workspace)
    in_workspace = override("workspace", str(workspace.root))
    for_prepare, for_tune = _unresolved(settings.prepare), _unresolved(settings.tune)
    chosen = [f"experiment={EXPERIMENT}", override("model", alarm.key.model)]
    if record is None:
        return [("thinfile", "tune", *chosen, *for_tune, in_workspace)]
    commands: list[Command] = []
    prepared = _prepared(record)
    if prepared is not None:
        _write(folder / "prepare.yaml", _prepare_file(alarm, prepared, workspace))
        commands.append(("thinfile", "prepare", f"--config-dir={folder}", *for_prepare, in_workspace))
    training = workspace.lake / prepared["name"] / TRAINING if prepared is not None else None
    _write(folder / "experiment" / f"{EXPERIMENT}.yaml", _experiment_file(alarm, record, training))
    commands.append(("thinfile", "tune", f"--config-dir={folder}", *chosen, *for_tune, in_workspace))
    return commands


def note_on_data(alarm: Alarm, workspace: Workspace, settings: RetrainSettings) -> str:
    """Return which file a retraining of a flat table needs new rows in, empty where it takes its data elsewhere.

    A marketplace is prepared again up to the alarm's period; a flat table has the rows that somebody writes into it.
    """
    record = _record_of(alarm, workspace)
    is_named = any(one.startswith("data.path=") for one in settings.tune)
    if record is None or record["data"]["source"] != Source.table.value or is_named:
        return ""
    if record["data"]["path"] is None:
        return "it runs data.query again: let the rows labelled since be among its rows"
    location = str(resolved(record["data"]["path"]))
    elsewhere = "add the rows labelled since, or name a table that has them: alarms.retrain.tune=['data.path=FILE']"
    if is_elsewhere(location):
        return f"it reads '{redacted(location)}': {elsewhere}"
    path = Path(location)
    files = [one for one in (path.rglob("*") if path.is_dir() else [path]) if one.is_file()]
    if not files:
        return f"'{path}', the table of the model, is missing; name another one: alarms.retrain.tune=['data.path=FILE']"
    changed = datetime.fromtimestamp(max(one.stat().st_mtime for one in files), UTC).date()
    return f"it reads '{path}', last changed on {changed}: {elsewhere}"


def start(commands: Sequence[Command], log: Path) -> int:
    """Run commands one after the other in a detached process that outlives this one; return its process id."""
    make_folder(log.parent)
    words, secrets = without_secrets([word for command in commands for word in (sys.executable, "-m", *command, AND)])
    script = " ".join(word if word == AND else shlex.quote(word) for word in words[:-1])
    shell = "/bin/sh"
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(shell, [shell, "-c", script], {**os.environ, **secrets}, file_actions=files, setsid=True)


def _unresolved(words: Sequence[str]) -> list[str]:
    """Return overrides as the configuration has them: the command that gets them reads the environment itself."""
    return [word.unresolved if isinstance(word, EnvironmentText) else word for word in words]


def _record_of(alarm: Alarm, workspace: Workspace) -> dict[str, Any] | None:
    """Return the recorded settings of the search that made a model, None for a model without one in this workspace."""
    from pipelines.model_store.store import existing_store

    try:
        store = existing_store(workspace, alarm.key.model)
        record: dict[str, Any] | None = store.read_record(store.version(alarm.key.model, alarm.key.version).run_id)
    except RequestError:
        return None
    return record


def _prepared(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the settings that a record's table was prepared with, None for a table that was not prepared here."""
    data = record["data"]
    manifest = manifest_beside(DataSettings(source=Source(data["source"]), path=resolved(data["path"])))
    configuration: Mapping[str, Any] | None = manifest.get("configuration")
    return configuration


def _prepare_file(alarm: Alarm, configuration: Mapping[str, Any], workspace: Workspace) -> str:
    """Return the settings that prepare the training table again, as of the end of the alarm's period."""
    kept = {name: value for name, value in configuration.items() if name not in OF_THE_COMMAND}
    folder, earlier = str(kept["raw"]["folder"]), str(configuration["workspace"])
    raw = kept["raw"] | {"folder": str(workspace.root) + folder.removeprefix(earlier)}
    as_of = max(end_of(alarm.key.period), str(kept["loan"]["as_of"]))  # ISO dates; never earlier than before
    kept |= {"loan": kept["loan"] | {"as_of": as_of}}
    kept |= {"raw": raw if folder.startswith(f"{earlier}/") else kept["raw"]}
    defaults = "  - prepare_schema\n  - defaults\n  - loan: dpd90_in_12_months\n  - features: default\n  - _self_\n"
    return f"# After alarm {alarm.id}: thinfile prepare --config-dir=FOLDER\ndefaults:\n{defaults}{HYDRA}{_yaml(kept)}"


def _experiment_file(alarm: Alarm, record: Mapping[str, Any], training: Path | None) -> str:
    """Return the settings of the repeated experiment, without a cut-off date, which would leave out the newest data."""
    record = rename_keys(dict(record), quiet=True)
    family = record["candidate"]["family"]
    kept = {name: value for name, value in record.items() if name not in (*OF_THE_COMMAND, "model")}
    kept["candidate"] = {name: value for name, value in record["candidate"].items() if name != "family"}
    kept["split"] = record["split"] | {"cutoff": None}
    if record["data"]["source"] == Source.marketplace.value:
        # The record has the paths of its tables; without them the tables that are prepared now are found by name.
        named = {} if training is None else {"path": str(training)}
        kept["data"] = {name: value for name, value in record["data"].items() if name not in PATHS} | named
    choices = f"  - override /data: {record['data']['source']}\n  - override /candidate: {family}\n"
    head = f"# @package _global_\n# After alarm {alarm.id}: thinfile tune --config-dir=FOLDER experiment={EXPERIMENT}\n"
    return f"{head}defaults:\n{choices}{_yaml(kept)}"


def _yaml(settings: Mapping[str, Any]) -> str:
    """Return settings as YAML, one per line, with values in JSON; only the environment is interpolated."""
    values = {name: json.dumps(as_written(value), ensure_ascii=False) for name, value in settings.items()}
    return "".join(f"{name}: {value}\n" for name, value in values.items())


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text)
