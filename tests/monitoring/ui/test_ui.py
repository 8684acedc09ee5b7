"""The index lists every report of a workspace, newest first, and leads to each."""

import json
import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.report.facts import facts_of
from monitoring.report.stored import latest_of_each, stored_reports
from monitoring.ui.ui import ui
from monitoring.verdict.period_report import PeriodReport, Verdict
from pipelines.command.verb import VerbSettings
from pipelines.storage.workspace import Workspace
from tests.chromium import open_page
from tests.monitoring.report.made_reports import HOSTILE, made_report, quiet
from tests.real_parts import needs_chromium


def keep(root: Path, reports: Iterable[PeriodReport]) -> None:
    for report in reports:
        key = report.key
        folder = root / "reports" / key.model / f"version-{key.version}" / key.population.value / key.period
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(json.dumps(facts_of(quiet(report))))
        (folder / "report.html").write_text("<p>a report</p>")


def of(period: str, verdict: Verdict, *, version: int = 7, model: str = "credit_score") -> PeriodReport:
    report = made_report(verdict)
    key = replace(report.key, model=model, version=version, period=period)
    return replace(report, key=key, window=period, moves=())


REPORTS = (
    of("2026-08", Verdict.STABLE, version=6),
    of("2026-10", Verdict.ACT),
    of("2026-09", Verdict.WATCH),
    of("2026-09", Verdict.STABLE, model="limit_score"),
)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    keep(tmp_path, REPORTS)
    return tmp_path


def test_reports_are_told_newest_first_and_lead_to_their_pages(workspace: Path) -> None:
    # when
    outcome = ui(VerbSettings(workspace=str(workspace)))
    # then
    told = outcome.result["reports"]
    assert isinstance(told, list)
    assert [(one["period"], one["model"], one["verdict"]) for one in told] == [
        ("2026-10", "credit_score", "act"),
        ("2026-09", "limit_score", "stable"),
        ("2026-09", "credit_score", "watch"),
        ("2026-08", "credit_score", "stable"),
    ]
    index = workspace / "reports" / "index.html"
    assert all((index.parent / one.link).exists() for one in stored_reports(index.parent))
    assert outcome.next_steps == [f"open {index}    # all reports"]


def test_the_newest_of_each_model_and_population_stands_first(workspace: Path) -> None:
    # given a month that has just begun
    keep(workspace, [of("2026-11", Verdict.INCOMPLETE)])
    # when
    found = latest_of_each(stored_reports(workspace / "reports"))
    # then
    assert [(one.model, one.period) for one in found] == [("credit_score", "2026-10"), ("limit_score", "2026-09")]


def test_pages_that_exist_can_be_opened(workspace: Path) -> None:
    # given
    place = Workspace(workspace)
    place.mlflow.touch()
    place.evidently.mkdir()
    # when
    steps = ui(VerbSettings(workspace=str(workspace))).next_steps
    # then
    assert [step.split("    ")[0] for step in steps[1:]] == [
        f"mlflow ui --backend-store-uri sqlite:///{workspace}/mlflow.db",
        f"evidently ui --workspace {workspace}/evidently",
    ]


def test_a_workspace_without_reports_has_an_index_that_says_what_to_do(tmp_path: Path) -> None:
    # when
    outcome = ui(VerbSettings(workspace=str(tmp_path)))
    # then
    assert "thinfile watch" in (tmp_path / "reports" / "index.html").read_text()
    assert "thinfile watch" in outcome.next_steps[-1]


def test_a_report_that_cannot_be_read_is_left_out_and_said(workspace: Path, caplog: pytest.LogCaptureFixture) -> None:
    # given one that is damaged, and one whose writer was killed
    damaged, half = sorted(workspace.glob("reports/credit_score/*/*/*"))[:2]
    (damaged / "report.json").write_text('{"key": ')
    (half / "report.html").unlink()
    # when
    with caplog.at_level(logging.WARNING):
        found = stored_reports(workspace / "reports")
    # then
    assert len(found) == 2
    assert str(damaged) in caplog.text


def test_what_a_report_says_is_text(tmp_path: Path) -> None:
    keep(tmp_path, [replace(of("2026-10", Verdict.ACT), sentence=HOSTILE)])
    ui(VerbSettings(workspace=str(tmp_path)))
    assert HOSTILE not in (tmp_path / "reports" / "index.html").read_text()


@needs_chromium
@pytest.mark.parametrize("width", [1280, 400])
def test_the_index_can_be_read_on_a_desk_and_on_a_telephone(workspace: Path, width: int) -> None:
    # given
    ui(VerbSettings(workspace=str(workspace)))
    # when
    page = open_page(workspace / "reports" / "index.html", width=width)
    # then
    assert not page.console
    assert not page.requests
    assert not page.wide
    assert all(report.sentence in page.text for report in REPORTS)
