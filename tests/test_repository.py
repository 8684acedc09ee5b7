"""The repository as a whole: configuration, packaging, licences and the lock file hold together."""

import re
import tomllib
from pathlib import Path

import pytest

import thinfile
from docs.notice import licence, needed
from pipelines.command.verbs import VERBS

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
GROUPS = [path.parent.name + "=" + path.stem for path in sorted((ROOT / "conf").glob("*/*.yaml"))]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_configuration_that_composes(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert thinfile.main([verb, "--cfg", "job"]) == 0
    assert capsys.readouterr().out.startswith("workspace:")


@pytest.mark.parametrize("choice", GROUPS)
def test_every_group_option_composes(choice: str, capsys: pytest.CaptureFixture[str]) -> None:
    group = choice.partition("=")[0]
    verb = next(verb for verb in VERBS if f"- {group}: " in (ROOT / "conf" / f"{verb}.yaml").read_text())
    assert thinfile.main([verb, choice, "--cfg", "job"]) == 0
    is_of_the_whole = "@package _global_" in (ROOT / "conf" / f"{choice.replace('=', '/')}.yaml").read_text()
    assert is_of_the_whole or group in capsys.readouterr().out


def test_the_lock_file_is_hashed_and_names_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^[a-z0-9][\w.-]*==", text, flags=re.MULTILINE)
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(pins) > 100
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "--index-url" not in text


def test_every_extra_is_in_the_table_of_the_quickstart() -> None:
    table = re.findall(
        r"^\| (`.+?) \|.*\| [\d, ]+ \|$", (ROOT / "docs" / "quickstart.md").read_text(), flags=re.MULTILINE
    )
    assert {name for row in table for name in re.findall(r"`(\w+)`", row)} == set(PROJECT["optional-dependencies"])


def test_nothing_at_run_time_is_under_a_copyleft_licence() -> None:
    packages = needed([*PROJECT["dependencies"], *OPTIONAL])
    assert len(packages) > 100
    copyleft = {name: licence(one) for name, one in packages.items()}
    assert not {name: text for name, text in copyleft.items() if re.search(r"\bA?GPL|Affero|GNU General", text)}
    assert {name for name, text in copyleft.items() if "LGPL" in text} <= {"psycopg", "psycopg-binary"}


def test_the_notice_has_every_package_that_is_installed_with_its_licence() -> None:
    """Packages of another system or version of Python may be missing here, and none may be unknown to the lock file."""
    text = (ROOT / "NOTICE").read_text()
    listed = dict(re.findall(r"^(\S+) \S+(?: \(extra [^)]+\))?\n    (.+)$", text, flags=re.MULTILINE))
    packages = needed([*PROJECT["dependencies"], *OPTIONAL])
    assert {name: licence(one) for name, one in packages.items()}.items() <= listed.items()
    pins = re.findall(r"^([a-z0-9][\w.-]*)==(\S+)", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)
    assert set(re.findall(r"^([a-z0-9][\w.-]*) (\d\S*)", text, flags=re.MULTILINE)) <= set(pins)
