"""The searches that are compared: the command of each, and the test AUC in what it prints."""

import hashlib
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.opponents.environments import ANCHORS, REQUIREMENTS, python_of
from tests.benchmarks.opponents.rows import LABEL, Rows
from tests.evidence.commands import COMMAND

GIVEN_SPLIT = Path(__file__).with_name("given_split.py")
ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Task:
    """What a search is to do: the rows of a split, the settings by which Thinfile reads them, seconds and a seed."""

    rows: Rows
    settings: tuple[str, ...]
    seconds: int
    seed: int
    workspace: Path
    """An empty folder."""


@dataclass(frozen=True)
class Result:
    """The AUC on the test part and what else a search printed."""

    auc: float
    details: dict[str, Any]


@dataclass(frozen=True)
class System:
    """A search: `code` identifies what was measured, `command` starts it, `read` finds the result in its output."""

    name: str
    code: Callable[[], str]
    command: Callable[[Task], list[str]]
    read: Callable[[str, Task], Result]

    @property
    def missing(self) -> str | None:
        """Why the search cannot run, None where it can."""
        return None if self.name in OURS or ANCHORS.exists() else f"the opponents' programs are not in {ANCHORS}"


def own_code() -> str:
    """Return a hash of the code and the configuration of Thinfile, which the tests and documents do not change."""
    digest = hashlib.sha256()
    for top in ("pipelines", "experiments", "conf"):
        for path in sorted(path for path in (ROOT / top).rglob("*") if path.suffix in (".py", ".yaml")):
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _thinfile(*settings: str) -> Callable[[Task], list[str]]:
    def command(task: Task) -> list[str]:
        where = ["output=json", f"workspace={task.workspace}"]
        return [*COMMAND, "tune", *task.settings, "candidate=auto", f"time={task.seconds}s", *settings, *where]

    return command


def _read_thinfile(printed: str, task: Task) -> Result:
    result = json.loads(printed)
    tested = result["test"]
    assert (tested["rows"], tested["bad"]) == (task.rows.tested, task.rows.bad), "another test part"
    kept = ("candidate", "trials", "weights", "cost", "cv_auc", "version")
    return Result(tested["measures"]["auc"]["value"], {name: result[name] for name in kept})


def _program(environment: str, program: str, *arguments: str, codes: bool = False) -> Callable[[Task], list[str]]:
    def command(task: Task) -> list[str]:
        file = task.rows.codes if codes else task.rows.table
        words = (word.format(seconds=task.seconds, seed=task.seed) for word in arguments)
        start = [python_of(environment), str(GIVEN_SPLIT), str(task.rows.development), str(ANCHORS / program)]
        return [*start, file, "--label", LABEL, *words]

    return command


def _read_json(printed: str, _: Task) -> Result:
    details = json.loads(printed.strip().splitlines()[-1])
    return Result(details.pop("test_auc"), details)


def _read_blend(printed: str, _: Task) -> Result:
    """Return the last blend; the details have seconds and test AUC after each configuration."""
    found = re.findall(r"^ *([0-9.]+) s .* blend \[.*test ([0-9.]+)$", printed, flags=re.MULTILINE)
    trace = [(float(seconds), float(auc)) for seconds, auc in found]
    return Result(trace[-1][1], {"trace": trace})


def _program_code(environment: str, program: str) -> Callable[[], str]:
    def code() -> str:
        source = (ANCHORS / program).read_bytes() + GIVEN_SPLIT.read_bytes()
        versions = " ".join(REQUIREMENTS.get(environment, (sys.version.split()[0],)))
        return hashlib.sha256(source + versions.encode()).hexdigest()[:12]

    return code


def _opponent(
    name: str, environment: str, program: str, *arguments: str, codes: bool = False, read: Any = _read_json
) -> System:
    command = _program(environment, program, *arguments, codes=codes)
    return System(name, _program_code(environment, program), command, read)


BUDGET = ("--seconds", "{seconds}")
THINFILE = System("Thinfile", own_code, _thinfile("max_cost=null"), _read_thinfile)
DEFAULT_COST = System("Thinfile, default max_cost", own_code, _thinfile(), _read_thinfile)
FLAML = _opponent("FLAML", "flaml", "flaml_tune.py", *BUDGET)
AUTOGLUON = _opponent(
    "AutoGluon", "autogluon", "autogluon_tune.py", *BUDGET, "--presets", "best_quality", "--seed", "{seed}"
)
BAG_BLEND = _opponent(
    "bag_blend", "autogluon", "bag_blend.py", *BUDGET, "--seed", "{seed}", codes=True, read=_read_blend
)
GLUE = _opponent("glue", "own", "glue_tune.py", "--trials", "40")
OURS = (THINFILE.name, DEFAULT_COST.name)
