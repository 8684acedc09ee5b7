"""The monthly loop with the real verbs: a quiet month, and a month whose alarm reaches a chat."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import Answer
from tests.deploy.commands import DEPLOY
from tests.docs.test_commands import applications
from tests.monitoring.alarms.receiver import receiver

pytestmark = pytest.mark.integration


def test_a_quiet_month_and_a_month_with_an_alarm(tmp_path: Path) -> None:
    # given a champion, and the applications of two months; in the second people earn 40% less
    (tmp_path / "applications").mkdir()
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "thinfile"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m thinfile "$@"\n')
    program.chmod(0o755)
    history = pd.concat([applications(600, f"2026-{month:02d}-01", month) for month in range(1, 9)])
    history.drop(columns="decision").to_parquet(tmp_path / "history.parquet", index=False)
    for month in (9, 10):
        table = applications(600, f"2026-{month:02d}-01", month).drop(columns=["decision", "defaulted"])
        table["income"] *= 0.6 if month == 10 else 1
        table.to_parquet(tmp_path / "applications" / f"2026-{month:02d}.parquet")
    environment = os.environ | {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(DEPLOY.parent),
        "THINFILE_WORKSPACE": str(tmp_path / "workspace"),
        "THINFILE_APPLICATIONS": str(tmp_path / "applications"),
        "no_proxy": "*",
    }

    def run(*words: object, **variables: str) -> Answer:
        done = subprocess.run(
            [str(word) for word in words],
            cwd=tmp_path, env=environment | variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return Answer(done.returncode, done.stdout, done.stderr)

    table = ["data=table", "data.path=history.parquet", "data.id=application_id", "data.time=applied_at"]
    tuned = run(program, "tune", *table, "data.label=defaulted", "candidate=scorecard", "trials=2")
    promoted = run(program, "promote", "why=the first")
    assert (tuned.exit_code, promoted.exit_code) == (0, 0), tuned.stderr + promoted.stdout

    # when the loop runs for both months, and again for the second
    with receiver() as server:
        chat = {"THINFILE_CHAT": "slack", "THINFILE_CHAT_URL": server.url}
        quiet, alarm, again = (run(DEPLOY / "monthly.sh", month, **chat) for month in ("2026-09", "2026-10", "2026-10"))

    # then the second ends with 3 and one message
    assert [quiet.exit_code, alarm.exit_code, again.exit_code] == [0, 3, 3], alarm.stdout + alarm.stderr
    assert "STABLE: 600 applications of 2026-09" in quiet.stdout
    assert "ACT: 600 applications of 2026-10" in alarm.stdout
    assert "scored 0 of 600" in again.stdout
    ((_, body),) = server.received
    message = json.loads(body)
    assert message["text"] == "ACT: credit_score version 1, applications of 2026-10"
    (event,) = (tmp_path / "workspace" / "alarms").glob("2026-10-act-*.json")
    causes = json.loads(event.read_text())["causes"]
    assert causes
    assert all(f"`{name} ({level})`" in json.dumps(message, ensure_ascii=False) for name, level in causes.items())
