"""The pages are short enough to read, their links lead somewhere, and their commands exist."""

import re
from pathlib import Path

import pytest

import thinfile
from pipelines.command.verbs import VERBS
from tests.docs.commands import PAGES, ROOT, blocks, words_of

COMMANDS = sorted({command for block in blocks() for command in block.commands if command.startswith("thinfile ")})
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


def test_make_targets_of_the_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {one for page in PAGES for one in re.findall(r"`?make ([a-z]+)`?", page.read_text())}
    assert named & {"demo", "test", "docs", "evidence"} == {"demo", "test", "docs", "evidence"}
    assert {one for block in blocks() for command in block.commands if command.startswith("make ")
            for one in words_of(command)[1:]} <= targets  # fmt: skip
