"""The home page shows models, alarms, reports and experiments of a workspace, and leads to each report."""

import json
import logging
import shlex
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

import thinfile as command
from monitoring.alarms.acknowledge import AlarmKey, acknowledge
from monitoring.alarms.raise_alarm import act_on
from monitoring.alarms.settings import AlarmPolicySettings
from monitoring.report.facts import facts_of
from monitoring.report.stored import latest_of_each, stored_reports
from monitoring.ui.home import home_of
from monitoring.ui.ui import ui
from monitoring.verdict.period_report import PeriodReport, Verdict
from pipelines.command.verb import VerbSettings
from pipelines.credit.population import Population
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHALLENGER, CHAMPION, EVALUATION, KIND, REGISTERED, STUDY, STUDY_RUN
from pipelines.score_log.key import LogKey
from pipelines.storage.workspace import Workspace
from tests.chromium import open_page
from tests.monitoring.alarms.reports import report
from tests.monitoring.report.made_reports import HOSTILE, made_report, quiet
from tests.pipelines.candidates.test_conformance import trained
from tests.pipelines.model_store.champions import crown, make_champion
from tests.real_parts import needs_chromium


def keep(root: Path, reports: Iterable[PeriodReport]) -> None:
    for one in reports:
        key = one.key
        folder = root / "reports" / key.model / f"version-{key.version}" / key.population.value / key.period
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(json.dumps(facts_of(quiet(one))))
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
    reports = workspace / "reports"
    assert all((reports / one.link).exists() for one in stored_reports(reports))
    page = (workspace / "index.html").read_text()
    assert all(f'href="reports/{one.link}"' in page for one in stored_reports(reports))
    assert f"  home: {(workspace / 'index.html').as_uri()}" in outcome.summary


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
    ModelStore(place).experiment("credit_score")
    place.studies.touch()
    place.evidently.mkdir()
    # when
    steps = ui(VerbSettings(workspace=str(workspace))).next_steps
    # then
    assert [step.split("    ")[0] for step in steps] == [
        f"mlflow ui --backend-store-uri sqlite:///{workspace}/mlflow.db",
        f"optuna-dashboard sqlite:///{workspace}/studies.db",
        f"evidently ui --workspace {workspace}/evidently",
    ]


def test_evidently_is_offered_where_it_is_installed(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Workspace(workspace).evidently.mkdir()
    monkeypatch.setattr("monitoring.report.report_files.find_spec", lambda _: None)
    steps = ui(VerbSettings(workspace=str(workspace))).next_steps
    assert not [step for step in steps if step.startswith("evidently ui")]


def test_a_workspace_without_reports_has_a_page_that_says_what_to_do(tmp_path: Path) -> None:
    # when
    outcome = ui(VerbSettings(workspace=str(tmp_path)))
    # then
    assert "thinfile watch" in (tmp_path / "index.html").read_text()
    assert outcome.next_steps == []


def test_the_first_report_is_that_of_the_month_that_was_decided_last(tmp_path: Path) -> None:
    for period in ("2026-05", "2026-07"):
        folder = LogKey("scores", 1, Population.applications, period).folder(tmp_path / "score_log" / "decisions")
        folder.mkdir(parents=True)
        (folder / "part.parquet").touch()
    (step,) = ui(VerbSettings(workspace=str(tmp_path))).next_steps
    words = f"period=2026-07 model=scores population=applications workspace={tmp_path}"
    assert step == f"thinfile watch {words}    # writes the first report"


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
    assert HOSTILE not in (tmp_path / "index.html").read_text()


@needs_chromium
@pytest.mark.parametrize("width", [1280, 400])
def test_the_index_can_be_read_on_a_desk_and_on_a_telephone(workspace: Path, width: int) -> None:
    # given
    ui(VerbSettings(workspace=str(workspace)))
    # when
    page = open_page(workspace / "index.html", width=width)
    # then
    assert not page.console
    assert not page.requests
    assert not page.wide
    assert all(report.sentence in page.text for report in REPORTS)


@pytest.fixture
def lived_in(workspace: Path, tmp_path: Path) -> Workspace:
    """A workspace with two versions of a model, the first rolled back to, a study's run and an open alarm."""
    place = Workspace.at(str(workspace))
    store = ModelStore(place)
    tags = {EVALUATION: json.dumps({"measures": {"auc": {"value": 0.7812, "low": 0.76, "high": 0.80}}})}
    first = make_champion(store, trained("scorecard"), tmp_path / "first", **tags)
    store.set_alias(make_champion(store, trained("scorecard"), tmp_path / "second", **tags), CHALLENGER)
    crown(store, first)
    run = store.open_run(store.experiment("credit_score"), "auto, 40 trials", {KIND: STUDY_RUN, STUDY: "0123456789"})
    store.log(run, metrics={"cv_auc": 0.7901, "test_auc": 0.7812}, tags={REGISTERED: "2"})
    store.close_run(run)
    act_on(report(), AlarmPolicySettings(), place, {"html": workspace / "report.html"})
    return place


def test_the_home_page_shows_champion_ledger_alarms_and_studies(lived_in: Workspace) -> None:
    home = home_of(lived_in)
    (model,) = home.models
    assert model.champion is not None
    assert model.challenger is not None
    assert (model.champion.number, model.challenger.number, model.versions) == (1, 2, 2)
    assert model.champion.auc == {"value": 0.7812, "low": 0.76, "high": 0.80}
    assert [one.decision for one in model.decisions] == ["promoted", "requested"] * 3
    assert model.finding == ""
    assert [one.alarm.key.period for one in home.alarms] == ["2026-10"]
    (study,) = home.studies
    assert (study.name, study.search_auc, study.test_auc, study.version) == ("auto, 40 trials", 0.7901, 0.7812, "2")
    outcome = ui(VerbSettings(workspace=str(lived_in.root)))
    assert outcome.summary[0] == "credit_score: champion is version 1"
    assert outcome.result["open_alarms"] == 1


def test_an_acknowledged_alarm_is_not_open(lived_in: Workspace) -> None:
    acknowledge(lived_in, AlarmKey("credit_score", Population.applications, "2026-10"), why="known")
    assert home_of(lived_in).alarms == []


def test_the_command_on_the_page_acknowledges_the_alarm_of_this_workspace(lived_in: Workspace) -> None:
    home = home_of(lived_in)
    (alarm,) = home.alarms
    words = shlex.split(home.acknowledging(alarm))
    assert command.main(["watch", "acknowledge", *words, "why=known"]) == 0
    assert home_of(lived_in).alarms == []


def test_an_alias_that_contradicts_the_ledger_is_named(lived_in: Workspace) -> None:
    store = ModelStore(lived_in)
    store.set_alias(store.version("credit_score", 2), CHAMPION)
    (model,) = home_of(lived_in).models
    assert model.champion is not None
    assert model.champion.number == 1
    assert model.finding == "the ledger names version 1 as champion, and MLflow's alias version 2"
    ui(VerbSettings(workspace=str(lived_in.root)))
    assert model.finding in (lived_in.root / "index.html").read_text().replace("&#39;", "'")


def test_a_ledger_that_was_changed_does_not_hide_the_page(lived_in: Workspace) -> None:
    with sqlite3.connect(lived_in.chain) as connection:
        connection.execute("update chain set content = replace(content, 'a test', 'another')")
    (model,) = home_of(lived_in).models
    assert "is not what was written" in model.finding
    assert model.champion is None


@needs_chromium
@pytest.mark.parametrize("width", [1280, 400])
def test_the_home_page_of_a_full_workspace_fits_a_desk_and_a_telephone(lived_in: Workspace, width: int) -> None:
    ui(VerbSettings(workspace=str(lived_in.root)))
    page = open_page(lived_in.root / "index.html", width=width)
    assert not page.console
    assert not page.requests
    assert not page.wide
    assert "auto, 40 trials" in page.text
