"""The repository as a whole: configuration, packaging, licences and the lock file hold together."""

import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import thinfile

ROOT = Path(__file__).resolve().parents[1]
GROUPS = [path.parent.name + "=" + path.stem for path in sorted((ROOT / "conf").glob("*/*.yaml"))]


@pytest.mark.parametrize("verb", thinfile.VERBS)
def test_every_verb_has_a_configuration_that_composes(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert thinfile.main([verb, "--cfg", "job"]) == 0
    assert capsys.readouterr().out.startswith("workspace:")


@pytest.mark.parametrize("choice", GROUPS)
def test_every_group_option_composes(choice: str, capsys: pytest.CaptureFixture[str]) -> None:
    group = choice.partition("=")[0]
    verb = next(verb for verb in thinfile.VERBS if f"- {group}: " in (ROOT / "conf" / f"{verb}.yaml").read_text())
    assert thinfile.main([verb, choice, "--cfg", "job"]) == 0
    is_of_the_whole = "@package _global_" in (ROOT / "conf" / f"{choice.replace('=', '/')}.yaml").read_text()
    assert is_of_the_whole or group in capsys.readouterr().out


@pytest.mark.integration
def test_a_wheel_ships_the_configuration(tmp_path: Path) -> None:
    source = tmp_path / "source"  # a build leaves files beside what it builds
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "workspace", "tests", "*.egg-info"))
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        tmp_path,
        source,
    ]
    subprocess.run(build, check=True, capture_output=True)
    shipped = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    ours = {f"thinfile_conf/{path.relative_to(ROOT / 'conf')}" for path in (ROOT / "conf").rglob("*.yaml")}
    assert ours <= shipped
    rooms = ("pipelines", "experiments", "monitoring")
    assert {"thinfile.py"} | {
        str(path.relative_to(ROOT)) for room in rooms for path in (ROOT / room).rglob("*.py")
    } <= shipped
    for templates in (ROOT / "experiments" / "document" / "templates", ROOT / "monitoring" / "report" / "templates"):
        assert {str(path.relative_to(ROOT)) for path in templates.iterdir()} <= shipped
    assert not any(name.startswith(("tests/", "conf/")) for name in shipped)


def test_the_lock_file_is_hashed_and_names_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^[a-z0-9][\w.-]*==", text, flags=re.MULTILINE)
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(pins) > 100
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "--index-url" not in text


def test_nothing_at_run_time_is_under_a_copyleft_licence() -> None:
    found = {name: _licence(package) for name, package in _needed_by("thinfile").items()}
    assert len(found) > 50
    copyleft = {name: text for name, text in found.items() if re.search(r"\bA?GPL|Affero|GNU General", text)}
    assert not copyleft


def _needed_by(name: str) -> dict[str, Distribution]:
    """Return the installed distributions that a package needs, and what those need."""
    installed = {_plain(package.name): package for package in distributions()}
    needed: dict[str, Distribution] = {}
    waiting = [_plain(name)]
    while waiting:
        current = waiting.pop()
        if current in needed or current not in installed:
            continue
        needed[current] = installed[current]
        wanted = [Requirement(line) for line in installed[current].requires or []]
        waiting += [_plain(one.name) for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    return needed


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _licence(package: Distribution) -> str:
    told = package.metadata
    named = told.get("License-Expression") or (told.get("License") or "")[:100]
    return named + " ".join(line for line in told.get_all("Classifier") or [] if line.startswith("License"))
