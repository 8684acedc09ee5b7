"""docs/deployment.md describes the files of the kit as they are."""

import re

import pytest

import thinfile
from tests.deploy.commands import DEPLOY, commands_of, files
from tests.deploy.test_metrics import RULES

PAGE = DEPLOY.parent / "docs" / "deployment.md"
TEXT = PAGE.read_text()


def test_the_page_names_files_that_exist() -> None:
    quoted = re.findall(r"`(?:deploy/)?([\w./-]+)`", TEXT)
    named = {name for name in quoted if name.endswith(("/", ".yml", ".yaml", ".sh", ".py", ".json", ".service"))}
    missing = {name for name in named if not list(DEPLOY.rglob(name.rstrip("/").rpartition("/")[2]))}
    assert missing <= {"alarms/", "deploy/"}  # a folder of the workspace, and the kit itself
    assert len(named) > 10


def test_the_page_lists_every_alert_with_its_urgency() -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \((page|ticket)\) \|", TEXT, re.MULTILINE))
    assert listed == {rule["alert"]: rule["labels"]["severity"] for rule in RULES}


def test_every_part_of_the_kit_is_on_the_page() -> None:
    parts = {path.relative_to(DEPLOY).parts[0] for path in files() if path.name != ".gitignore"}
    named = {
        "Dockerfile",
        "compose.yaml",
        "systemd",
        "monthly.sh",
        "cron",
        "airflow",
        "github",
        "prometheus",
        "grafana",
        "alerts",
    }
    of_the_image = {"Dockerfile.dockerignore", "entrypoint.sh", "ready.py", "make_secrets.sh", "mlflow", "postgres"}
    assert parts == named | of_the_image
    assert not [name for name in named if name not in TEXT]


@pytest.mark.parametrize("words", list(commands_of(PAGE)), ids=" ".join)
def test_a_command_in_a_container_composes(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert thinfile.main([*words, "--cfg", "job"]) == 0, capsys.readouterr().err
