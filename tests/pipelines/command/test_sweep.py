"""--multirun prints a header for each job and one table, also where a launcher runs the jobs in other processes."""

import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

import thinfile
from pipelines.command.sweep import SweptJob, table_of
from pipelines.command.verb import ExitCode, Outcome, Output
from tests.conftest import Answer

PERIODS = ["period=2026-01,october"]


def job(number: int, outcome: Outcome, *overrides: str) -> SweptJob:
    return SweptJob(number, overrides, outcome, Output.text, process=1)


def shown(jobs: list[SweptJob], figures: dict[str, str]) -> list[list[str]]:
    """Return the rows of a table, as words."""
    console = Console(width=100)
    with console.capture() as printed:
        console.print(table_of(jobs, figures))
    return [line.split() for line in printed.get().splitlines() if line.strip() and "─" not in line]


def test_the_table_has_what_differs_and_the_figures_of_the_verb() -> None:
    first = Outcome({"version": 3, "test": {"auc": 0.78125}}, summary=["registered"])
    refused = Outcome({"version": None}, summary=["nothing"], exit_code=ExitCode.ANSWER_IS_NO)
    jobs = [job(1, first, "candidate=scorecard", "+seed=1"), job(2, refused, "candidate=auto", "+seed=2")]
    title, head, *rows = shown(jobs, {"version": "version", "AUC": "test.auc", "cost": "cost"})
    assert title == ["2", "jobs"]
    assert head == ["job", "candidate", "seed", "version", "AUC", "exit", "code"]
    assert rows == [["1", "scorecard", "1", "3", "0.7812", "0"], ["2", "auto", "2", "3"]]


def test_without_figures_the_table_has_the_first_lines_and_errors_always() -> None:
    jobs = [
        job(1, Outcome({}, summary=["", "two\nthree"]), "model=a"),
        job(2, Outcome({}, exit_code=ExitCode.WRONG_REQUEST, error="no model b"), "model=b"),
    ]
    _, head, *rows = shown(jobs, {"version": "version"})
    assert head == ["job", "model", "exit", "code", "answer"]
    assert rows == [["1", "a", "0", "two"], ["2", "b", "2", "no", "model", "b"]]


def test_a_job_has_a_header_and_its_own_output_below(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = f"workspace={tmp_path}"
    assert thinfile.main(["watch", "-m", "alarms", "model=a,b", workspace]) == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[:5] == ["job 1: model=a", "0 alarms raised, 0 entries", "job 2: model=b", lines[1], "2 jobs"]


def test_a_script_gets_no_header_and_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert thinfile.main(["watch", "-m", "alarms", "model=a,b", f"workspace={tmp_path}", "output=json"]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_a_glob_chooses_files_and_no_schemas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["score", "-m", "period=x", "policy=glob(*)", f"workspace={tmp_path}"]
    assert thinfile.main(words) == 2
    headers = [line for line in capsys.readouterr().out.splitlines() if line.startswith("job ")]
    assert headers == [
        f"job {number}: policy={name}" for number, name in enumerate(("china", "default", "eu", "us_lending"), start=1)
    ]
    assert thinfile.main(["score", "-m", "period=x", "policy=glob(none*)", f"workspace={tmp_path}"]) == 2
    assert "the sweep has no job: a glob of it matches no choice" in capsys.readouterr().err


def test_a_glob_of_families_has_those_without_a_file_and_no_schemas(capsys: pytest.CaptureFixture[str]) -> None:
    assert thinfile.main(["tune", "-m", "candidate=glob(*)", "trials=0", "data=german_credit"]) == 2
    out = capsys.readouterr().out
    assert "candidate=scorecard" in out
    assert "_schema" not in out
    assert "_defaults" not in out


@pytest.mark.integration
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_a_launcher_prints_the_same_beside_a_package_of_the_same_name(launcher: str, tmp_path: Path) -> None:
    # given a folder with a package `pipelines` of the user's
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "__init__.py").write_text('raise SystemExit("a package of the user was imported")\n')
    # when
    alone = run("score", "-m", *PERIODS, cwd=tmp_path)
    launched = run("score", "-m", *PERIODS, f"hydra/launcher={launcher}", cwd=tmp_path)
    listed = run("watch", "-m", "alarms", "model=a,b", f"hydra/launcher={launcher}", cwd=tmp_path)
    # then
    assert alone.exit_code == launched.exit_code == 2
    assert launched.stdout == alone.stdout
    assert launched.stderr == alone.stderr
    assert "job 2: period=october" in launched.stdout
    assert "0 alarms raised" in listed.stdout  # with a resolver of ours in its configuration
    assert listed.exit_code == 0


def run(*words: str, cwd: Path) -> Answer:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "thinfile", *words], cwd=cwd, capture_output=True, text=True, check=False
    )
    return Answer(done.returncode, done.stdout, done.stderr)
