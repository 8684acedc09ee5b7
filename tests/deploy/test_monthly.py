"""The monthly loop by cron, systemd and Airflow: what runs, in which order, and how it ends."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.alarms.raise_alarm import act_on
from monitoring.alarms.settings import AlarmPolicySettings
from pipelines.storage.workspace import Workspace
from tests.conftest import Answer
from tests.deploy.commands import DEPLOY, AirflowFailException, dag_module
from tests.monitoring.alarms.receiver import receiver
from tests.monitoring.alarms.reports import move, report

Loop = Callable[..., Answer]
STAND_IN = """\
#!/bin/sh
echo "thinfile $*"
eval "exit \\${CODE_OF_$1:-0}"
"""
"""A command that prints its words and ends with the exit code in CODE_OF_VERB."""


@pytest.fixture
def monthly(tmp_path: Path) -> Loop:
    """Run monthly.sh with a stand-in for thinfile, in an otherwise empty environment."""
    program = tmp_path / "bin" / "thinfile"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)

    def run(*words: str, **variables: str) -> Answer:
        environment = {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "THINFILE_APPLICATIONS": "/srv/applications",
            "THINFILE_WORKSPACE": str(tmp_path / "workspace"),
            "no_proxy": "*",
        }
        done = subprocess.run(
            [DEPLOY / "monthly.sh", *words], env=environment | variables, capture_output=True, text=True, check=False
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return run


def test_a_month_is_scored_and_then_compared(monthly: Loop) -> None:
    answer = monthly("2026-10")
    assert answer.exit_code == 0
    assert answer.stdout.splitlines() == [
        "thinfile score data=table data.path=/srv/applications/2026-10.parquet data.id=application_id period=2026-10",
        "thinfile watch period=2026-10",
    ]


def test_the_month_before_this_one_is_the_default(monthly: Loop) -> None:
    last = datetime.now(UTC).replace(day=1) - timedelta(days=1)
    assert f"watch period={last:%Y-%m}" in monthly().stdout


@pytest.mark.parametrize("code", ["1", "2", "3"])
def test_a_month_that_is_not_scored_is_not_compared(code: str, monthly: Loop) -> None:
    answer = monthly("2026-10", CODE_OF_score=code)
    assert answer.exit_code == int(code)
    assert "watch" not in answer.stdout


@pytest.mark.parametrize("code", ["1", "2", "3"])
def test_the_loop_ends_as_the_comparison_does(code: str, monthly: Loop) -> None:
    assert monthly("2026-10", CODE_OF_watch=code).exit_code == int(code)


def test_without_the_folder_of_applications_nothing_runs(monthly: Loop) -> None:
    answer = monthly("2026-10", THINFILE_APPLICATIONS="")
    assert answer.exit_code != 0
    assert "THINFILE_APPLICATIONS" in answer.stderr
    assert answer.stdout == ""


def test_the_alarm_of_the_month_is_sent_once_and_others_are_not(monthly: Loop, workspace: Workspace) -> None:
    for period, column in (("2026-09", "tenure"), ("2026-10", "income")):
        month = report([move(column)], period=period)
        act_on(month, AlarmPolicySettings(), workspace, {"html": Path("/reports/report.html")})
    with receiver() as server:
        answers = [
            monthly("2026-10", CODE_OF_watch="3", THINFILE_CHAT="slack", THINFILE_CHAT_URL=server.url) for _ in range(2)
        ]
    assert [answer.exit_code for answer in answers] == [3, 3]
    ((_, body),) = server.received
    assert json.loads(body)["text"].endswith("applications of 2026-10")


def test_an_alarm_that_is_not_sent_is_a_failure_but_never_hides_the_answer(monthly: Loop, workspace: Workspace) -> None:
    act_on(report(), AlarmPolicySettings(), workspace, {"html": Path("/reports/report.html")})
    with receiver([500]) as server:
        chat = {"THINFILE_CHAT": "slack", "THINFILE_CHAT_URL": server.url}
        codes = [monthly("2026-10", CODE_OF_watch=code, **chat).exit_code for code in ("0", "3")]
    assert codes == [1, 3]


def test_cron_runs_the_loop_once_a_month_with_the_variables_of_the_file(tmp_path: Path) -> None:
    lines = [line for line in (DEPLOY / "cron" / "thinfile").read_text().splitlines() if line and line[0] != "#"]
    *settings, job = lines
    assert all(re.fullmatch(r"[A-Z_]+=\S+", line) for line in settings)
    minute, hour, day, month, weekday, user, command = job.split(maxsplit=6)
    assert (minute, hour, day, month, weekday, user) == ("0", "4", "3", "*", "*", "thinfile")
    loop = tmp_path / "monthly.sh"
    loop.write_text("#!/bin/sh\necho $THINFILE_APPLICATIONS\n")
    loop.chmod(0o755)
    command = command.replace("/opt/thinfile/kit/monthly.sh", str(loop))
    command = command.replace("/etc/thinfile/environment", str(DEPLOY / "systemd" / "environment.example"))
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True, env={})
    assert done.stdout == "/srv/applications\n"


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with programs that exist on this machine."""
    for unit in [*(DEPLOY / "systemd").glob("*.service"), *(DEPLOY / "systemd").glob("*.timer")]:
        text = re.sub(r"^(ExecStart=)\S+", r"\g<1>/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
    return tmp_path


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_units(units: Path) -> None:
    command = ["systemd-analyze", "verify", "--man=no", *sorted(units.glob("thinfile*"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_stays_down_where_a_restart_does_not_help() -> None:
    text = (DEPLOY / "systemd" / "thinfile.service").read_text()
    assert "\nRestartPreventExitStatus=2 3\n" in text


@pytest.mark.parametrize(("code", "error"), [(1, RuntimeError), (2, AirflowFailException), (3, AirflowFailException)])
def test_airflow_tries_a_failure_again_and_never_an_answer(
    code: int, error: type[Exception], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("THINFILE_WORKSPACE", str(tmp_path))
    run = dag_module(monkeypatch)["run"]
    run(["sh", "-c", "exit 0"])
    with pytest.raises(error, match=f"exit code {code}"):
        run(["sh", "-c", f"exit {code}"])
