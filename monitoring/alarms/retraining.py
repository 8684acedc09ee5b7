"""Opens a retraining: the search that made the alarmed model, asked again of the newest mature data."""

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from monitoring.alarms.alarm import Alarm
from monitoring.alarms.settings import RetrainSettings
from pipelines.atomic import whole_file
from pipelines.errors import RequestError
from pipelines.marketplace.manifest import manifest_beside
from pipelines.settings import DataSettings, Source
from pipelines.verb import override
from pipelines.workspace import Workspace

EXPERIMENT = "retrain"
OF_THE_COMMAND = ("workspace", "output", "debug")
"""What a record says that belongs to the command that made it."""

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
    manifest = manifest_beside(_data_of(record)) if record else {}
    place = ("workspace", str(workspace.root))
    commands: list[Command] = []
    if manifest:
        _write(folder / "prepare.yaml", _prepare_file(alarm, manifest["configuration"], workspace))
        commands.append(_command("prepare", folder, place, settings.prepare))
    if record:
        name = manifest["configuration"]["name"] if manifest else None
        _write(folder / "experiment" / f"{EXPERIMENT}.yaml", _experiment_file(alarm, record, name))
    chosen = [f"experiment={EXPERIMENT}", override("model", alarm.key.model)]
    commands.append(_command("tune", folder if record else None, place, [*chosen, *settings.tune]))
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


def _data_of(record: Mapping[str, Any]) -> DataSettings:
    told = record["data"]
    return DataSettings(source=Source(told["source"]), path=told["path"])


def _command(verb: str, folder: Path | None, place: tuple[str, str], overrides: Sequence[str]) -> Command:
    ours = [f"--config-dir={folder}"] if folder else []
    return ("thinfile", verb, *ours, *overrides, override(*place))


def _prepare_file(alarm: Alarm, configuration: Mapping[str, Any], workspace: Workspace) -> str:
    """Return the file that prepares the training table again as it was prepared, as of the end of a period."""
    kept = {name: value for name, value in configuration.items() if name not in OF_THE_COMMAND}
    folder, earlier = str(kept["raw"]["folder"]), str(configuration["workspace"])
    raw = kept["raw"] | {"folder": str(workspace.root) + folder.removeprefix(earlier)}
    kept |= {"loan": kept["loan"] | {"as_of": end_of(alarm.key.period)}}
    kept |= {"raw": raw if folder.startswith(f"{earlier}/") else kept["raw"]}
    defaults = "  - prepare_schema\n  - house\n  - loan: dpd90_in_12_months\n  - features: default\n  - _self_\n"
    return f"# After alarm {alarm.id}: thinfile prepare --config-dir=FOLDER\ndefaults:\n{defaults}{HYDRA}{_yaml(kept)}"


def _experiment_file(alarm: Alarm, record: Mapping[str, Any], prepared: str | None) -> str:
    """Return the experiment that asks a record's question again; a cut-off by date would leave the newest out."""
    family = record["candidate"]["family"]
    kept = {name: value for name, value in record.items() if name not in (*OF_THE_COMMAND, "model")}
    kept["candidate"] = {name: value for name, value in record["candidate"].items() if name != "family"}
    kept["split"] = record["split"] | {"cutoff": None}
    if prepared is not None:  # the record names the very table; the name leads to the one that is prepared now
        kept["data"] = record["data"] | {"path": f"${{workspace}}/lake/{prepared}/training", "through_the_door": None}
    choices = f"  - override /data: {record['data']['source']}\n  - override /candidate: {family}\n"
    head = f"# @package _global_\n# After alarm {alarm.id}: thinfile tune --config-dir=FOLDER experiment={EXPERIMENT}\n"
    return f"{head}defaults:\n{choices}{_yaml(kept)}"


def _yaml(settings: Mapping[str, Any]) -> str:
    """Return settings as YAML, each on a line, its values in JSON, which YAML reads."""
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())


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
