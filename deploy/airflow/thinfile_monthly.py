"""The monthly loop as a DAG of Airflow 3: score the applications of a month, compare the month, send the alarm.

Copy this file into the folder of DAGs and ../alerts to ALERTS. The workers need `thinfile` in PATH and the variables of
../systemd/environment.example; its secrets belong into the environment of the workers.

A task that ends with exit code 1 is tried again: the same command finishes what was started. Exit codes 2 (a wrong
request) and 3 (an alarm, or nothing could be compared) stay the same, so that the task fails at once, and the run too.
"""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

APPLICATIONS = os.environ.get("THINFILE_APPLICATIONS", "/srv/applications")
WORKSPACE = os.environ.get("THINFILE_WORKSPACE", "/var/lib/thinfile")
ALERTS = "/opt/thinfile/kit/alerts"
RETRIES: dict[str, Any] = {"retries": 3, "retry_delay": timedelta(minutes=10)}


def score_command(period: str) -> list[str]:
    """Return the command that scores the applications of a month (YYYY-MM)."""
    table = ["data=table", f"data.path={APPLICATIONS}/{period}.parquet", "data.id=application_id"]
    return ["thinfile", "score", *table, f"period={period}"]


def watch_command(period: str) -> list[str]:
    """Return the command that compares a month."""
    return ["thinfile", "watch", f"period={period}"]


def run(command: list[str]) -> None:
    """Run a command. Raises AirflowFailException, which is not tried again, for exit codes 2 and 3."""
    code = subprocess.run(command, cwd=WORKSPACE, check=False).returncode
    if code in (2, 3):
        raise AirflowFailException(f"{command[:2]} ended with exit code {code}; the log above has the reason")
    if code:
        raise RuntimeError(f"{command[:2]} ended with exit code {code}; the log above has the reason")


@dag(schedule="0 4 3 * *", start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False, max_active_runs=1)
def thinfile_monthly() -> None:
    """Score and watch the month before the one in which the run is due."""

    @task
    def last_month(dag_run: Any = None) -> str:
        return (dag_run.run_after.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")

    @task(**RETRIES)
    def score(period: str) -> None:
        run(score_command(period))

    @task(**RETRIES)
    def watch(period: str) -> None:
        run(watch_command(period))

    @task(**RETRIES)
    def send_alarm(period: str) -> None:
        for event in sorted(Path(WORKSPACE, "alarms").glob(f"{period}-act-*.json")):
            run(["python3", f"{ALERTS}/chat.py", os.environ.get("THINFILE_CHAT", "slack"), str(event)])

    period = last_month()
    # A teardown also runs when the task before it fails, and leaves the state of the run to that task.
    score(period) >> watch(period) >> send_alarm(period).as_teardown()


thinfile_monthly()
