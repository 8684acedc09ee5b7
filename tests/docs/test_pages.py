"""The pages are short enough to read, their links lead somewhere, and their commands exist."""

import re
from pathlib import Path

import pytest

import thinfile
from pipelines.command.verbs import VERBS
from tests.docs.commands import PAGES, ROOT, blocks, in_sentences, unmarked, words_of

COMMANDS = sorted(
    {command for block in blocks() for command in block.commands if command.startswith("thinfile ")} | {*in_sentences()}
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_the_readme_fits_on_three_screens() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) < 200
    assert [line for line in lines if len(line) > 160] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text()) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_verb_and_settings_that_exist(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT / "docs")
    verb, *words = words_of(command)[1:]
    assert verb in VERBS
    words = [word for word in words if word != "--multirun"]
    words = [word.partition(",")[0] if re.fullmatch(r"candidate=\w+(,\w+)+", word) else word for word in words]
    assert thinfile.main([verb, *words, "--cfg", "job"]) == 0, capsys.readouterr().err


UNAVAILABLE = {
    "it clones the repository",
    "it needs Docker",
    "it needs a PostgreSQL server",
    "it needs a bucket",
    "it needs a champion and your files",
    "it needs a channel",
    "it needs a database",
    "it needs a workspace with customers",
    "it needs an MLflow server",
    "it needs packages of Hydra's",
    "it needs scored months",
    "it needs ssh keys and a second person",
    "it needs systemd",
    "it needs the id of a decision",
    "it needs the models of the demo",
    "it needs your file",
    "it needs your files",
    "it needs your tables",
    "it starts a service",
    "the id is that of another study",
    "the id of a study is not known in advance",
}
"""What a page in an empty folder does not have; a block with another reason names the test that runs it."""


def test_a_block_that_its_page_does_not_run_says_what_runs_it_or_what_it_needs() -> None:
    reasons = {block.reason for block in blocks() if block.reason}
    tests = {reason: re.match(r"(?:.*; )?(tests/[\w/]+\.py) ", reason) for reason in reasons - UNAVAILABLE}
    assert [reason for reason, test in tests.items() if test is None] == []
    assert [test[1] for test in tests.values() if test and not (ROOT / test[1]).exists()] == []
    assert reasons >= UNAVAILABLE


def test_no_command_hides_in_a_block_that_is_not_a_console() -> None:
    assert list(unmarked()) == []


def test_make_targets_of_the_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {one for page in PAGES for one in re.findall(r"`?make ([a-z]+)`?", page.read_text())}
    assert named & {"demo", "test", "docs", "evidence"} == {"demo", "test", "docs", "evidence"}
    assert {one for block in blocks() for command in block.commands if command.startswith("make ")
            for one in words_of(command)[1:]} <= targets  # fmt: skip
