"""The thinfile commands in the files of the deployment kit, in comments too, as words."""

import re
import runpy
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipelines.command.verbs import VERBS

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DAG = DEPLOY / "airflow" / "thinfile_monthly.py"
COMMAND = re.compile(rf"(?<![\w.-])(?:[\w./]+/)?thinfile ((?:{'|'.join(VERBS)})\b(?:[^\n`|;&>]|&(?!&))*)")
AS_LIST = re.compile(r"\[((?:\"?[\w./=-]+\"?(?:, )?)*)\]")
LEFT = {"__pycache__", ".mypy_cache", "secrets", "applications"}
"""Folders that tools and users make."""
SETTINGS = {"$period": "2026-10", "$REQUEST": "7", "$key": "key", "$WHY": "a reason", "$applications": "applications"}


def commands_of(path: Path) -> Iterator[list[str]]:
    """Yield the words after `thinfile` of each command in a file; prose after two spaces is no part of it."""
    text = path.read_text().replace("\\\n", " ")
    text = AS_LIST.sub(lambda match: match[1].replace('"', "").replace(", ", " "), text)  # CMD ["thinfile", "serve"]
    for variable, value in SETTINGS.items():
        text = text.replace(variable, value)
    for command in COMMAND.findall(text):
        yield shlex.split(re.split(r"\s{2,}+(?![\w.]+=)|\s\|\||\)", command)[0].replace('"$answer"', ""))


def files() -> list[Path]:
    """Return the text files of the kit."""
    return sorted(path for path in DEPLOY.rglob("*") if path.is_file() and not LEFT.intersection(path.parts))


class AirflowFailException(Exception):
    """Stands for the exception of Airflow after which a task is not tried again."""


def dag_module(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what the DAG's file defines, with decorators that leave functions as they are instead of Airflow's."""

    def dag(**_: Any) -> Callable[..., Any]:
        return lambda _: lambda: None

    sdk, exceptions = ModuleType("airflow.sdk"), ModuleType("airflow.sdk.exceptions")
    sdk.__dict__.update(dag=dag, task=None)
    exceptions.__dict__.update(AirflowFailException=AirflowFailException)
    for module in (ModuleType("airflow"), sdk, exceptions):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return runpy.run_path(str(DAG))
