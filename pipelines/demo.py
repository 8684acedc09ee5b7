"""The verb demo: the whole loop on real German credit data, by the commands a user would type."""

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipelines.atomic import whole_file
from pipelines.errors import ThinfileError
from pipelines.settings import DemoSettings
from pipelines.sources import german_credit_path
from pipelines.verb import ExitCode, Outcome, Output, carried_words, override
from pipelines.workspace import Workspace, sqlite_url

RANDOM, SELECTED = "2026-01", "2026-02"
PERIOD_ROWS = 100
DEVELOPMENT_ROWS = 600
LONG_TERM_MONTHS = 24
LONG_TERM_WEIGHT = 30.0

DRAWN = {
    RANDOM: f"{PERIOD_ROWS} of the held-back applications, each as likely as any other",
    SELECTED: (
        f"{PERIOD_ROWS} of the remaining ones, those for more than {LONG_TERM_MONTHS} months "
        f"{LONG_TERM_WEIGHT:.0f} times as likely: the drift is really there, and known"
    ),
}


@dataclass(frozen=True)
class Draw:
    """Rows of the German data: for development, and for the two production periods."""

    development: pd.DataFrame
    periods: dict[str, pd.DataFrame]


def demo(settings: DemoSettings) -> Outcome:
    """Tune two candidates, let them through the gates, score two periods and watch them.

    Raises:
        ThinfileError: one of the commands failed.
    """
    workspace = Workspace.at(settings.workspace)
    folder = workspace.lake / "demo"
    _write(draw_periods(settings.seed), folder)
    runner = _Runner(settings)
    data = ["data=german_credit", "data.id=application_id", override("data.path", str(folder / "development.parquet"))]
    for candidate in ("scorecard", "catboost"):
        runner.run("tune", *data, f"candidate={candidate}", f"trials={settings.trials}", f"seed={settings.seed}")
        runner.run("promote")
    runner.run("compare")
    verdicts: dict[str, int] = {}
    for period in DRAWN:
        file = override("data.path", str(folder / f"{period}.parquet"))
        runner.run("score", "data=german_credit", "data.id=application_id", file, f"period={period}")
        verdicts[period] = runner.run("watch", f"period={period}")
    return _outcome(runner, workspace, verdicts)


def draw_periods(seed: int) -> Draw:
    """Return a random part for development and two production periods: one at random, one with a known selection."""
    table = pd.read_csv(german_credit_path())
    table.insert(0, "application_id", [f"G{row:04d}" for row in range(1, len(table) + 1)])
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(table))
    development, held_back = np.split(order, [DEVELOPMENT_ROWS])
    at_random, rest = np.split(held_back, [PERIOD_ROWS])
    is_long = table["duration_in_month"].to_numpy()[rest] > LONG_TERM_MONTHS
    weight = np.where(is_long, LONG_TERM_WEIGHT, 1.0)
    selected = generator.choice(rest, PERIOD_ROWS, replace=False, p=weight / weight.sum())
    unlabelled = table.drop(columns="creditability")
    periods = {RANDOM: unlabelled.iloc[np.sort(at_random)], SELECTED: unlabelled.iloc[np.sort(selected)]}
    return Draw(table.iloc[np.sort(development)], periods)


def _write(draw: Draw, folder: Path) -> None:
    for name, rows in {"development": draw.development, **draw.periods}.items():
        with whole_file(folder / f"{name}.parquet") as temporary:
            rows.to_parquet(temporary, index=False)


class _Runner:
    """Runs verbs as commands of their own, as a user would, and keeps what they answered."""

    def __init__(self, settings: DemoSettings) -> None:
        self._settings = settings
        self.steps: list[dict[str, Any]] = []

    def run(self, verb: str, *overrides: str) -> int:
        """Run one command on the user's terminal, or quietly where the answer is for a script; return its exit code."""
        words = [verb, *overrides, *carried_words(self._settings)]
        command = shlex.join(["thinfile", *words])
        is_text = self._settings.output is Output.text
        if is_text:
            print(f"\n$ {command}", flush=True, file=sys.__stdout__)
        words += [f"output={self._settings.output.value}", f"debug={self._settings.debug}"]
        done = subprocess.run(
            [sys.executable, "-m", "thinfile", *words], check=False, stdout=None if is_text else subprocess.PIPE
        )
        if done.returncode not in (ExitCode.DONE, ExitCode.ANSWER_IS_NO):
            raise ThinfileError(
                f"the demo stopped: `{command}` ended with exit code {done.returncode}; run it by itself"
            )
        answer = {} if is_text else json.loads(done.stdout)
        self.steps.append({"command": command, "exit_code": done.returncode, "answer": answer})
        return done.returncode


def _outcome(runner: _Runner, workspace: Workspace, verdicts: dict[str, int]) -> Outcome:
    reports = {period: _report(workspace, period) for period in verdicts}
    told = {period: "ACT" if code == ExitCode.ANSWER_IS_NO else "STABLE" for period, code in verdicts.items()}
    periods = [f"  {period}  {told[period]:<6}  {DRAWN[period]}" for period in verdicts]
    summary = [
        "",
        f"The loop is closed. {DEVELOPMENT_ROWS} real applications to learn from; the periods are drawn from the rest:",
        *periods,
    ]
    result = {
        "periods": {
            period: {"verdict": told[period].lower(), "drawn": DRAWN[period], "report": str(reports[period])}
            for period in verdicts
        },
        "steps": runner.steps,
    }
    looks = [
        f"mlflow ui --backend-store-uri {sqlite_url(workspace.mlflow)}    # runs, models, pictures",
        f"evidently ui --workspace {workspace.evidently}    # the history of reports",
        *(f"open {report}" for report in reports.values()),
    ]
    return Outcome(result, summary=summary, next_steps=looks)


def _report(workspace: Workspace, period: str) -> Path:
    """Return the newest report of a period."""
    return max(workspace.reports.glob(f"*/*/*/{period}/report.html"), key=lambda path: path.stat().st_mtime)
