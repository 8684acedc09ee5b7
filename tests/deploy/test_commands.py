"""Every thinfile command in the deployment kit exists, with settings that exist."""

from pathlib import Path

import pytest

import thinfile
from tests.deploy.commands import DEPLOY, commands_of, dag_module, files

COMMANDS = sorted(
    {(str(path.relative_to(DEPLOY)), *words) for path in files() if path.suffix != ".py" for words in commands_of(path)}
)
VERBS_OF_FILES = {
    "Dockerfile": {"demo", "serve"},
    "compose.yaml": {"promote", "serve", "tune"},
    "entrypoint.sh": {"tune"},
    "github/champion.yml": {"demo", "promote", "tune"},
    "monthly.sh": {"score", "watch"},
    "prometheus/prometheus.yml": {"serve"},
    "prometheus/rules.yml": {"promote"},
    "systemd/thinfile.service": {"serve"},
}
"""Files with commands, and their verbs: a pattern that found none would prove nothing."""


@pytest.mark.parametrize("name", VERBS_OF_FILES)
def test_the_commands_of_a_file_are_found(name: str) -> None:
    assert {words[0] for words in commands_of(DEPLOY / name)} == VERBS_OF_FILES[name]


@pytest.mark.parametrize(("path", "words"), [(path, words) for path, *words in COMMANDS], ids=str)
def test_a_command_composes(
    path: Path, words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(DEPLOY.parent)  # conf/ stands for a team's own folder
    words = [word for word in words if word not in ("--cfg", "job")]
    assert thinfile.main([*words, "--cfg", "job"]) == 0, capsys.readouterr().err


def test_the_commands_of_the_dag_compose(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    module = dag_module(monkeypatch)
    for command in ("score_command", "watch_command"):
        program, *words = module[command]("2026-10")
        assert program == "thinfile"
        assert thinfile.main([*words, "--cfg", "job"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_a_file_opens_with_what_it_is(path: Path) -> None:
    if path.suffix == ".json":
        return  # JSON has no comments; its field `description` has the words
    first = path.read_text().removeprefix("#!/bin/sh\n").splitlines()[0]
    assert first.startswith(("# ", "-- ", '"""')), first
    assert len(first) > 30
