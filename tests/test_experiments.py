"""Every file of conf/experiment opens with its question and its command, and composes."""

import re
import shlex
from pathlib import Path

import pytest

import thinfile
from pipelines.command.hydra_application import configuration_folder

FILES = sorted((configuration_folder() / "experiment").glob("*.yaml"))
TABLE = (configuration_folder().parent / "docs" / "experiments.md").read_text()


def test_the_documentation_lists_every_file_with_its_command() -> None:
    listed = re.findall(r"^\| `(\w+)` \|.*\| `(.*)` \|$", TABLE, re.MULTILINE)
    assert dict(listed) == {file.stem: launch(file.read_text()) for file in FILES}


def launch(text: str) -> str:
    """Return the first command of a file."""
    return next(line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   thinfile "))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_opens_with_its_question_and_composes(
    file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, question, command = file.read_text().splitlines()[:3]
    assert package == "# @package _global_"
    assert re.match(r"# [A-Z].*\?", question)
    words = shlex.split(command.removeprefix("#").rpartition("thinfile tune")[2])
    assert f"experiment={file.stem}" in words
    monkeypatch.chdir(tmp_path)
    assert thinfile.main(["tune", *words, "--cfg", "job"]) == 0
    assert capsys.readouterr().err == ""
