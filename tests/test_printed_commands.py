"""Every command that a text of the packages names has a verb, an action and settings that exist, and is quoted."""

import re
import tomllib
from pathlib import Path

import pytest

import thinfile
from pipelines.command.verbs import VERBS
from tests.printed_commands import ROOT, Template, steps, steps_of, templates, words_of
from tests.test_next_steps import NOT_PLAYED, PLAYED

TEMPLATES = templates()
HOLE = re.compile(r"\{(?:[^{}]|\{[^{}]*\})*\}")

WORDS = {
    "{about}": "data=marketplace population=book period=2026-01",
    "{data}": "data=table data.path=FILE",
    "{here}": "workspace=folder",
    "{shlex.join(overrides)}": "period=2026-01 model=credit_score",
    "{step}": "apply",
    "{until}": "observed_at=2026-01-01",
    "{verb.name}": "tune",
    "{words}": "period=2026-01 model=credit_score population=applications",
}
"""What stands for an expression that is whole words of a command, and not the rest of one."""

VALUES = {"loan.as_of": "2026-01-01", "period": "2026-01", "policy": "default"}
"""Values of settings that do not take a 1."""


def filled(command: str) -> str:
    """Return a command with something for each expression: nothing for those at the end of a word."""
    for hole, words in WORDS.items():
        command = command.replace(f" {hole}", f" {words}")
    command = re.sub(r"\{shell_word\('([\w.]+)', .*?\)\}", r"\1={}", command).replace("=N ", "={} ")
    command = re.sub(rf"([\w.]+)=(?:{HOLE.pattern})", lambda match: f"{match[1]}={VALUES.get(match[1], '1')}", command)
    assert not re.search(rf"\s{HOLE.pattern}", command), f"add what stands for the expression in '{command}' to WORDS"
    return HOLE.sub("", command)


@pytest.mark.parametrize(
    "template", [one for one in TEMPLATES if one.text.startswith("thinfile ")], ids=lambda one: one.text[:60]
)
def test_its_settings_exist(
    template: Template, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    verb, *words = words_of(filled(template.text))[1:]
    assert verb in VERBS, template
    if any(word.startswith(("--config-dir", "--help")) for word in words):  # of a folder that the user has
        words = [word for word in words if not word.startswith(("--config-dir", "--help", "experiment="))]
    assert thinfile.main([verb, *words, "--cfg", "job"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.text[:60])
def test_a_path_or_a_text_in_it_is_quoted(template: Template) -> None:
    """`carried` and `shell_word` quote; a path between single quotes would break at its own quote."""
    assert not re.search(r"(?:path|folder|file|input|anchor|key|workspace)=\{(?!shlex)", template.text), template
    assert not re.search(r"^open \{(?!shlex|shown)", template.text), template


def test_every_next_step_is_printed_and_run_by_a_test() -> None:
    """A new one belongs to a play of tests/test_next_steps.py, which runs what it really prints."""
    played = [step for steps_of_play in PLAYED.values() for step in steps_of_play]
    assert sorted([*played, *NOT_PLAYED]) == sorted(steps())
    assert len(set(played)) == len(played)


def test_an_extra_that_is_to_be_installed_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {extra for one in TEMPLATES for extra in re.findall(r"pip install 'thinfile\[(\w+)\]'", one.text)}
    assert named
    assert named <= set(project["optional-dependencies"])


def test_steps_are_read_without_their_comments() -> None:
    printed = "PROMOTED\n  x\nnext:\n  open 'a b'    # the page\n  thinfile compare\n$ thinfile tune\n  more\n"
    assert steps_of(printed) == ["open 'a b'", "thinfile compare"]
