"""The workflow of GitHub Actions: its steps run as its runner would run them, with a stand-in for thinfile."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Answer
from tests.deploy.commands import DEPLOY

WORKFLOW = yaml.safe_load((DEPLOY / "github" / "champion.yml").read_text())
JOBS = WORKFLOW["jobs"]
STAND_IN = """\
#!/bin/sh
echo "$*" >> commands
for word; do case $word in key=*) grep . "${word#key=}" > key_that_was_read ;; esac; done
cat answer.json
eval "exit \\${CODE_OF_$2:-0}"
"""
REQUESTED = {"decision": "requested", "version": 3, "ledger_entry": 7, "document": "document.html"}
Step = Callable[..., Answer]


def step_of(job: str, name: str) -> dict[str, Any]:
    """Return a step of a job by its name."""
    (step,) = (step for step in JOBS[job]["steps"] if step.get("name") == name)
    return step


@pytest.fixture
def run(tmp_path: Path) -> Step:
    """Run a step in an empty folder; thinfile is a stand-in that prints a request."""
    program = tmp_path / ".venv" / "bin" / "thinfile"
    program.parent.mkdir(parents=True)
    program.write_text(STAND_IN)
    program.chmod(0o755)
    (tmp_path / "answer.json").write_text(json.dumps(REQUESTED))
    (tmp_path / "output").touch()

    def run_step(step: dict[str, Any], **variables: str) -> Answer:
        environment = {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": "output"}
        environment |= {"KEY": "private key", "WHY": "it's new, $(touch evil)", "REQUEST": "7"} | variables
        done = subprocess.run(  # the shell of a step without `shell:` is bash -e
            ["bash", "-e", "-c", step["run"]],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return run_step


REQUEST = step_of("request", "Judge the challenger and request its promotion")
APPROVE = step_of("champion", "Approve, apply and verify")


def test_a_request_is_handed_to_the_next_job(run: Step, tmp_path: Path) -> None:
    answer = run(REQUEST)
    assert answer.exit_code == 0, answer.stderr
    assert (tmp_path / "output").read_text() == "request=7\n"
    assert answer.stdout == "::notice::requested: version 3\n"
    assert (tmp_path / "key_that_was_read").read_text() == "private key\n"
    assert "private" not in (tmp_path / "commands").read_text()
    assert "why=it's new, $(touch evil)" in (tmp_path / "commands").read_text()
    assert not (tmp_path / "key").exists()
    assert not (tmp_path / "evil").exists()


def test_a_refusal_ends_the_run_without_an_error(run: Step, tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text(json.dumps(REQUESTED | {"decision": "refused"}))
    answer = run(REQUEST, CODE_OF_request="3")
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout == "::notice::refused: version 3\n"
    assert (tmp_path / "output").read_text() == ""


@pytest.mark.parametrize("code", ["1", "2"])
def test_a_failed_request_fails(code: str, run: Step, tmp_path: Path) -> None:
    assert run(REQUEST, CODE_OF_request=code).exit_code == int(code)
    assert (tmp_path / "output").read_text() == ""
    assert not (tmp_path / "key").exists()


def test_a_reviewed_request_is_approved_applied_and_verified(run: Step, tmp_path: Path) -> None:
    assert run(APPROVE).exit_code == 0
    actions = [line.split()[1] for line in (tmp_path / "commands").read_text().splitlines()]
    assert actions == ["approve", "apply", "verify"]
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize(("action", "done"), [("approve", 1), ("apply", 2), ("verify", 3)])
def test_a_no_to_a_reviewer_fails_and_nothing_follows(action: str, done: int, run: Step, tmp_path: Path) -> None:
    assert run(APPROVE, **{f"CODE_OF_{action}": "3"}).exit_code == 3
    assert len((tmp_path / "commands").read_text().splitlines()) == done


def test_only_a_reviewed_job_reads_the_key_of_the_approver() -> None:
    named = {job: json.dumps(body) for job, body in JOBS.items()}
    assert [job for job, text in named.items() if "APPROVER_KEY" in text] == ["champion"]
    assert JOBS["champion"]["environment"] == "champion"
    assert JOBS["champion"]["needs"] == "request"


def test_a_pull_request_reaches_no_secret_and_no_runner_of_the_team() -> None:
    of_pull_requests = [job for job, body in JOBS.items() if "if" not in body]
    assert of_pull_requests == ["test"]
    assert "secrets." not in json.dumps(JOBS["test"])
    assert JOBS["test"]["runs-on"].startswith("ubuntu-")
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_no_text_of_a_person_is_pasted_into_a_script() -> None:
    scripts = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]
    assert not [script for script in scripts if "${{" in script]
