"""Opens a retraining: the search that made the alarmed model, asked again of the newest mature data."""

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from monitoring.alarms.alarm import Alarm
from monitoring.alarms.settings import RetrainSettings
from pipelines.applications.settings import DataSettings, Source
from pipelines.command.verb import override
from pipelines.errors import RequestError
from pipelines.marketplace.manifest import manifest_beside
from pipelines.marketplace.training_table import TRAINING
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.workspace import Workspace

EXPERIMENT = "retrain"
OF_THE_COMMAND = ("workspace", "output", "debug")
"""What a record says that belongs to the command that made it."""

PLACES = ("path", "through_the_door")
"""Where a record says that its tables lay."""

HYDRA = """\
  - override hydra/job_logging: none
  - override hydra/hydra_logging: none
"""

Command = tuple[str, ...]


def open_retraining(alarm: Alarm, workspace: Workspace, settings: RetrainSettings, folder: Path) -> list[Command]:
    """Write the settings of a retraining into a folder and return its commands, to be run one after the other.

    Its data, candidate, policy and bad definition are those of the search that made the alarmed model; its data are
    read anew, of a marketplace all that is mature at the end of the alarm's period. A model without such a search is
    given the experiment that Thinfile ships, with what `settings` say.
    """
    record = _record_of(alarm, workspace)
    place = override("workspace", str(workspace.root))
    chosen = [f"experiment={EXPERIMENT}", override("model", alarm.key.model)]
    if record is None:
        return [("thinfile", "tune", *chosen, *settings.tune, place)]
    commands: list[Command] = []
    prepared = _prepared(record)
    if prepared is not None:
        _write(folder / "prepare.yaml", _prepare_file(alarm, prepared, workspace))
        commands.append(("thinfile", "prepare", f"--config-dir={folder}", *settings.prepare, place))
    training = workspace.lake / prepared["name"] / TRAINING if prepared is not None else None
    _write(folder / "experiment" / f"{EXPERIMENT}.yaml", _experiment_file(alarm, record, training))
    commands.append(("thinfile", "tune", f"--config-dir={folder}", *chosen, *settings.tune, place))
    return commands


def start(commands: Sequence[Command], log: Path) -> int:
    """Run commands one after the other in a process of their own that outlives this one; return its number."""
    log.parent.mkdir(parents=True, exist_ok=True)
    script = " && ".join(shlex.join([sys.executable, "-m", *command]) for command in commands)
    shell = "/bin/sh"
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(shell, [shell, "-c", script], os.environ, file_actions=files, setsid=True)


def _record_of(alarm: Alarm, workspace: Workspace) -> dict[str, Any] | None:
    """Return the configuration of the search that made a model, None where it was made or kept elsewhere."""
    from pipelines.model_store.store import existing_store

    try:
        store = existing_store(workspace, alarm.key.model)
        record: dict[str, Any] | None = store.read_record(store.version(alarm.key.model, alarm.key.version).run_id)
    except RequestError:
        return None
    return record


def _prepared(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the settings that a record's table was prepared with, None for one that was not prepared here."""
    told = record["data"]
    manifest = manifest_beside(DataSettings(source=Source(told["source"]), path=told["path"]))
    configuration: Mapping[str, Any] | None = manifest.get("configuration")
    return configuration


def _prepare_file(alarm: Alarm, configuration: Mapping[str, Any], workspace: Workspace) -> str:
    """Return the file that prepares the training table again as it was prepared, as of the end of a period."""
    kept = {name: value for name, value in configuration.items() if name not in OF_THE_COMMAND}
    folder, earlier = str(kept["raw"]["folder"]), str(configuration["workspace"])
    raw = kept["raw"] | {"folder": str(workspace.root) + folder.removeprefix(earlier)}
    as_of = max(end_of(alarm.key.period), str(kept["loan"]["as_of"]))  # ISO dates; what was known stays known
    kept |= {"loan": kept["loan"] | {"as_of": as_of}}
    kept |= {"raw": raw if folder.startswith(f"{earlier}/") else kept["raw"]}
    defaults = "  - prepare_schema\n  - house\n  - loan: dpd90_in_12_months\n  - features: default\n  - _self_\n"
    return f"# After alarm {alarm.id}: thinfile prepare --config-dir=FOLDER\ndefaults:\n{defaults}{HYDRA}{_yaml(kept)}"


def _experiment_file(alarm: Alarm, record: Mapping[str, Any], training: Path | None) -> str:
    """Return the experiment that asks a record's question again; a cut-off by date would leave the newest out."""
    family = record["candidate"]["family"]
    kept = {name: value for name, value in record.items() if name not in (*OF_THE_COMMAND, "model")}
    kept["candidate"] = {name: value for name, value in record["candidate"].items() if name != "family"}
    kept["split"] = record["split"] | {"cutoff": None}
    if record["data"]["source"] == Source.marketplace.value:
        # The record names the very tables; a name leads to those that are prepared now.
        named = {} if training is None else {"path": str(training)}
        kept["data"] = {name: value for name, value in record["data"].items() if name not in PLACES} | named
    choices = f"  - override /data: {record['data']['source']}\n  - override /candidate: {family}\n"
    head = f"# @package _global_\n# After alarm {alarm.id}: thinfile tune --config-dir=FOLDER experiment={EXPERIMENT}\n"
    return f"{head}defaults:\n{choices}{_yaml(kept)}"


def _yaml(settings: Mapping[str, Any]) -> str:
    """Return settings as YAML, each on a line, its values in JSON, which YAML reads; no text is an interpolation."""
    told = {name: json.dumps(_literal(value), ensure_ascii=False) for name, value in settings.items()}
    return "".join(f"{name}: {value}\n" for name, value in told.items())


def _literal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value) if isinstance(value, str) else value


def end_of(period: str) -> str:
    """Return the day after a period (YYYY-MM), today for a period that is no month.

    >>> end_of("2026-12"), end_of("2026-09")
    ('2027-01-01', '2026-10-01')
    """
    try:
        year, month = (int(part) for part in period.split("-"))
        return date(year + month // 12, month % 12 + 1, 1).isoformat()
    except ValueError:
        return date.today().isoformat()


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text)
