"""Secrets leave the command line before others can read it there."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import thinfile
from pipelines.secrets.command_line import without_secrets


def test_secrets_become_variables() -> None:
    words, variables = without_secrets(
        [
            "watch",
            "--multirun",
            "alarms.webhook.url='https://a:one@host,https://a:two@host?token=three'",
            '+hydra.job.env_set.DB_PASSWORD="fo ur"',
            "data.path=loans.csv",
        ]
    )
    name = "THINFILE_SECRET_ALARMS_WEBHOOK_URL"
    assert words == [
        "watch",
        "--multirun",
        f"alarms.webhook.url='https://a:${{oc.env:{name}}}@host,https://a:${{oc.env:{name}_2}}@host?token=${{oc.env:{name}_3}}'",
        "+hydra.job.env_set.DB_PASSWORD=${oc.env:THINFILE_SECRET_HYDRA_JOB_ENV_SET_DB_PASSWORD}",
        "data.path=loans.csv",
    ]
    assert list(variables.values()) == ["one", "two", "three", "fo ur"]
    assert without_secrets(words) == (words, {})


def test_a_command_without_secrets_stays() -> None:
    words = ["tune", "data.meanings.token=count", "why=a=b", "output=json"]
    assert without_secrets(words) == (words, {})


def test_a_verb_gets_the_secret_and_prints_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    url = "alarms.webhook.url=https://a:s3cret@host/hook"
    assert thinfile.main(["watch", "period=2026-10", "workspace=/nowhere/x", url, "--cfg", "job"]) == 0
    printed = capsys.readouterr()
    assert "url: https://a:${oc.env:THINFILE_SECRET_ALARMS_WEBHOOK_URL}@host/hook" in printed.out
    assert printed.err.startswith("warning: a password on a command line is visible to other users; it was moved to")
    assert "s3cret" not in printed.out + printed.err


@pytest.mark.integration
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads the list of processes from /proc")
def test_the_list_of_processes_does_not_show_it() -> None:
    # given a command that stays, started with a password among its words
    code = (
        "import time, thinfile; from pipelines.command import front_door; "
        "front_door.verb_named = lambda _: time.sleep(60); thinfile.main()"
    )
    words = ["watch", "alarms.webhook.url=https://a:s3cret@host/hook"]
    with subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "was moved to the environment" in process.stderr.readline()
        # when it has begun again
        listed = Path(f"/proc/{process.pid}/cmdline")
        until = time.monotonic() + 30
        while "s3cret" in listed.read_text() and time.monotonic() < until:
            time.sleep(0.05)
        shown = listed.read_text().split("\0")
        process.kill()
    # then its words are those without the password
    assert shown[-3:-1] == [
        "watch",
        "alarms.webhook.url=https://a:${oc.env:THINFILE_SECRET_ALARMS_WEBHOOK_URL}@host/hook",
    ]
