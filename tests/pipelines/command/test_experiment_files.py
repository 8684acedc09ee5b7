"""Files of conf/experiment: a user's own, one that sweeps, and the labels that a job gets from them."""

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.cli import DATA, EXPERIMENTS, POLICY
from experiments.experiment.settings import TuneSettings
from pipelines.candidates.registry import candidate_settings
from pipelines.command.hydra_adapter import chosen_option, job_overrides
from pipelines.command.hydra_application import Verb, run
from pipelines.command.verb import Outcome

OWN = "# @package _global_\n# Is it better with a larger seed?\nseed: 7\n"
SWEEP = "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      trials: 1,2\n"


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with an experiment, and one that sweeps."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine" / "experiment"
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text(OWN)
    (folder / "curve.yaml").write_text(OWN + SWEEP)
    return tmp_path / "mine"


def launched(*words: str) -> tuple[int, list[tuple[str | None, list[str], TuneSettings]]]:
    """Run a verb like tune that only keeps what each of its jobs received."""
    jobs: list[tuple[str | None, list[str], TuneSettings]] = []

    def task(settings: TuneSettings) -> Outcome:
        jobs.append((chosen_option("experiment"), job_overrides(), settings))
        return Outcome({"trials": settings.trials})

    verb: Verb[Any] = Verb("tune", TuneSettings, task, DATA | POLICY | EXPERIMENTS, choices=candidate_settings)
    return run(verb, words), jobs


def test_a_users_own_file_is_found_and_named(mine: Path) -> None:
    code, [(chosen, overrides, settings)] = launched(f"--config-dir={mine}", "experiment=own", "split.test=0.2")
    assert (code, chosen, settings.seed) == (0, "own", 7)
    assert overrides == ["experiment=own", "split.test=0.2"]


def test_a_wrong_name_lists_our_files_and_those_of_the_user(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, jobs = launched(f"--config-dir={mine}", "experiment=nothing_like_it")
    assert (code, jobs) == (2, [])
    message = capsys.readouterr().err
    assert message.startswith("error: unknown choice experiment=nothing_like_it; known: ")
    assert {"own", "curve", "retrain"} <= set(message.strip().partition("known: ")[2].split(", "))


def test_help_lists_the_users_files(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert launched(f"--config-dir={mine}", "--help") == (0, [])
    choices = capsys.readouterr().out.partition("\nexperiment=")[2].partition("\n\n")[0]
    assert {"own", "curve", "retrain"} <= {word.strip() for word in choices.split("|")}


def test_without_an_experiment_a_job_has_no_name(mine: Path) -> None:
    code, [(chosen, overrides, _)] = launched("seed='${threads}'")
    assert (code, chosen, overrides) == (0, None, ["seed='${threads}'"])


def test_a_file_can_ask_for_a_sweep(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, jobs = launched(f"--config-dir={mine}", "experiment=curve", "output=json")
    assert code == 0
    assert [(chosen, settings.trials, settings.seed) for chosen, _, settings in jobs] == [
        ("curve", 1, 7),
        ("curve", 2, 7),
    ]
    assert [set(overrides) >= {f"trials={number}"} for number, (_, overrides, _) in enumerate(jobs, 1)] == [True] * 2
    assert [answer["trials"] for answer in json.loads(capsys.readouterr().out)] == [1, 2]


def test_an_override_replaces_the_values_of_the_files_sweep(mine: Path) -> None:
    _, jobs = launched(f"--config-dir={mine}", "experiment=curve", "trials=3")
    assert [settings.trials for _, _, settings in jobs] == [3]


def test_a_sweep_over_experiments_names_each_job(mine: Path) -> None:
    _, jobs = launched(f"--config-dir={mine}", "--multirun", "experiment=own,retrain")
    assert [chosen for chosen, _, _ in jobs] == ["own", "retrain"]
