"""The report says what it is given, once, and opens without a network."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitoring.measures.move import Move
from monitoring.report.period_figures import APPROVALS, FAULTS, PANELS
from monitoring.report.report_files import ReportFiles, write_report
from monitoring.thresholds.thresholds import EVERYONE, Level
from monitoring.verdict.period_report import PeriodReport, Verdict
from tests.chromium import RenderedPage, open_page
from tests.monitoring.report.made_reports import HOSTILE, made_report, quiet
from tests.real_parts import needs_chromium

Write = Callable[..., ReportFiles]
SECTIONS = (
    "Data faults",
    "Score and decisions",
    "Columns",
    "Segments",
    "Performance",
    "Vintage curves",
    "Decisions over time",
    "What this report cannot see",
    "Sample summary by Evidently",
)


def sample(rows: int, **columns: object) -> pd.DataFrame:
    generator = np.random.default_rng(rows)
    purposes = generator.choice(["car", "education", HOSTILE], rows)
    return pd.DataFrame({"duration_in_month": generator.integers(4, 72, rows), "purpose": purposes} | columns)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return partial(
        write_report,
        reference_sample=sample(60),
        current_sample=sample(50),
        categorical=["purpose"],
        folder=tmp_path / "2026-10",
        evidently_workspace=tmp_path / "evidently",
        project="points",
        timestamp=datetime(2026, 10, 1, tzinfo=UTC),
    )


def moved(report: PeriodReport) -> list[Move]:
    return [
        one
        for one in report.moves
        if one.segment == EVERYONE and one.judgement.level in (Level.WATCH, Level.ACT)
    ]  # fmt: skip


def test_the_facts_hold_every_figure_of_the_report(write: Write) -> None:
    # given
    report = made_report()
    # when
    facts = json.loads(write(report).json.read_text())
    # then
    assert (facts["verdict"], facts["title"], facts["rows"]) == ("act", report.title, report.rows)
    about = {"model": "credit_score", "version": 7, "population": "applications", "period": "2026-10"}
    assert facts["key"] == about | {"role": "decision"}
    assert {(one["column"], one["segment"]): (one["psi"], one["current"]) for one in facts["moves"]} == {
        (one.column, one.segment): (one.judgement.psi, list(one.current)) for one in report.moves
    }
    assert [one["level"] for one in facts["moves"]] == sorted(
        (one["level"] for one in facts["moves"]), key=["act", "watch", "quiet", "too small"].index
    )
    assert [fault["remedy"] for fault in facts["faults"]] == [fault.remedy for fault in report.faults]
    assert len(facts["performance"]["vintages"]) == 15
    assert facts["conduct"][-1]["groups"][0]["attribute"] == "sex"


def test_the_stored_run_tests_each_column_as_it_was_judged(write: Write, tmp_path: Path) -> None:
    from evidently.ui.workspace import Workspace

    # given a column beyond its limit that is quiet, as a season makes it
    report = made_report()
    loud = moved(report)[0]
    seasonal = replace(loud, judgement=replace(loud.judgement, level=Level.QUIET, lasting=0))
    report = replace(report, moves=tuple(seasonal if one is loud else one for one in report.moves))
    # when
    written = write(report)
    # then
    workspace = Workspace(str(tmp_path / "evidently"))
    [project] = workspace.search_project("points")
    run = workspace.get_run(project.id, written.evidently_run)
    results = [(result, test) for result in run.metric_results.values() for test in result.tests]
    stored = [(result, test) for result, test in results if "column" in test.metric_config.params]
    told = {
        test.metric_config.params["column"]: (result.value, test.test_config["threshold"]) for result, test in stored
    }
    assert told == {
        one.column: (one.judgement.psi, one.judgement.limit) for one in report.moves if one.segment == EVERYONE
    }
    failed = {test.metric_config.params["column"] for _, test in stored if test.status.value == "FAIL"}
    assert failed == {one.column for one in moved(report)}
    assert loud.column not in failed
    [verdict] = [test for _, test in results if "column" not in test.metric_config.params]
    assert (verdict.name, verdict.description, verdict.status.value) == ("Verdict: act", report.sentence, "FAIL")


def test_without_evidently_the_page_is_ours_alone(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr("monitoring.report.report_files.find_spec", lambda _: None)
    # when
    written = write(made_report())
    # then
    page = written.html.read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "<h1>ACT</h1>" in page
    assert [name for name in SECTIONS if f"<h2>{name}</h2>" in page] == list(SECTIONS[:-1])
    assert "<script" not in page
    assert HOSTILE not in page
    assert written.evidently_run is None
    assert "evidently" not in json.loads(written.json.read_text())
    assert not (tmp_path / "evidently").exists()


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        ("stable", "SUCCESS"),
        ("watch", "WARNING"),
        ("act", "FAIL"),
        ("incomplete", "SKIPPED"),
        ("inconclusive", "ERROR"),
    ],
)
def test_the_verdict_is_a_test_of_the_stored_run(write: Write, tmp_path: Path, verdict: str, status: str) -> None:
    from evidently.ui.workspace import Workspace

    written = write(made_report(Verdict(verdict)))
    workspace = Workspace(str(tmp_path / "evidently"))
    [project] = workspace.search_project("points")
    run = workspace.get_run(project.id, written.evidently_run)
    tests = [test for result in run.metric_results.values() for test in result.tests]
    assert [test.status.value for test in tests if test.name == f"Verdict: {verdict}"] == [status]


def test_the_dashboard_draws_every_figure_over_the_periods(write: Write, tmp_path: Path) -> None:
    # given
    report = made_report()
    # when
    write(report)
    # then
    [path] = tmp_path.glob("evidently/*/dashboard.json")
    panels = {one["title"]: one["values"][0] for one in json.loads(path.read_text())["panels"]}
    assert panels["PSI of the score by period"]["metric_labels"] == {"role": "score"}
    assert panels["PSI of features by period"]["metric_labels"] == {"role": "feature"}
    [stored] = tmp_path.glob("evidently/*/snapshots/*.json")
    written = {}
    for one in json.loads(stored.read_text())["metric_results"].values():
        params = one["metric_value_location"]["metric"]["params"]
        if "panel" in params:
            kind = panels[params["panel"]]["metric"].rpartition(":")[2]
            assert params["type"].rpartition(":")[2] == kind
            written[params["panel"], params["series"]] = one["value"]
    assert {panel for panel, _ in written} == set(PANELS)
    assert report.effect is not None
    assert written[APPROVALS, "window"] == report.effect.approval_rate
    assert written[FAULTS, "faults"] == len(report.faults)


def test_a_dashboard_of_an_earlier_version_is_replaced_and_a_changed_one_is_kept(write: Write, tmp_path: Path) -> None:
    write(made_report())
    [path] = tmp_path.glob("evidently/*/dashboard.json")
    board = json.loads(path.read_text())
    earlier = {
        "tabs": [board["tabs"][0] | {"title": "Stability"}],
        "panels": [one for one in board["panels"] if one["title"].startswith("PSI")],
    }
    for dashboard, is_replaced in ((earlier, True), ({**board, "panels": board["panels"][:3]}, False)):
        path.write_text(json.dumps(dashboard))
        write(made_report())
        assert (json.loads(path.read_text()) != dashboard) == is_replaced


def test_a_report_written_again_replaces_the_first(write: Write, tmp_path: Path) -> None:
    # given
    first = write(made_report())
    # when
    again = write(replace(made_report(), verdict=Verdict.STABLE))
    other = write(replace(made_report(), title="credit_score, applications of 2026-11"), folder=tmp_path / "2026-11")
    # then
    assert again == first
    assert json.loads(first.json.read_text())["verdict"] == "stable"
    assert {path.name for path in (tmp_path / "2026-10").iterdir()} == {"report.html", "report.json"}
    assert len(list(tmp_path.glob("evidently/*/metadata.json"))) == 1
    runs = {path.stem for path in tmp_path.glob("evidently/*/snapshots/*")}
    assert runs == {first.evidently_run, other.evidently_run}


def test_a_project_of_the_same_name_is_used_and_one_begun_is_finished(write: Write, tmp_path: Path) -> None:
    from evidently.ui.workspace import Workspace

    # given a project made by hand, and the folder of one whose writer was killed
    made = Workspace(str(tmp_path / "evidently")).create_project("points")
    (tmp_path / "evidently" / "00000000-0000-5000-8000-000000000000").mkdir()
    # when
    written = write(made_report())
    # then
    assert (tmp_path / "evidently" / str(made.id) / "snapshots" / f"{written.evidently_run}.json").exists()


@pytest.mark.parametrize(
    "incomes",
    [
        pytest.param(lambda rows: [np.nan] * rows, id="all missing"),
        pytest.param(lambda rows: [None] * rows, id="all missing text"),
        pytest.param(lambda rows: ["none"] * rows, id="constant category"),
        pytest.param(lambda rows: [0.0] * rows, id="constant number"),
        pytest.param(lambda rows: [np.inf, 1.0, *range(rows)][:rows], id="infinite"),
        pytest.param(lambda rows: np.logspace(0, 300, rows), id="huge"),
        pytest.param(lambda rows: pd.date_range("2024-05-01", periods=rows), id="times"),
    ],
)
@pytest.mark.parametrize("rows", [0, 1, 50])
def test_evidently_can_read_what_is_left_of_a_nasty_sample(
    write: Write, incomes: Callable[[int], object], rows: int
) -> None:
    # when
    written = write(
        quiet(made_report()),
        reference_sample=sample(60, income=incomes(60)),
        current_sample=sample(rows, income=incomes(rows)),
    )
    # then
    page = written.html.read_text()
    assert "<h1>ACT</h1>" in page
    assert ("Dataset Summary" in page) == (rows > 0)


def test_a_sample_that_stops_evidently_does_not_silence_the_alarm(write: Write) -> None:
    # given a constant so large that Evidently finds no room for bins around it
    constant = [1e300] * 50
    # when
    written = write(
        made_report(), reference_sample=sample(50, income=constant), current_sample=sample(50, income=constant)
    )
    # then
    page = written.html.read_text()
    assert "<h1>ACT</h1>" in page
    assert "Left out, because of ValueError" in page


def test_columns_that_cannot_be_summarised_are_named(write: Write) -> None:
    # given
    ids = [f"order {number}" for number in range(200)]
    # when
    written = write(
        made_report(),
        reference_sample=sample(200, order_id=ids, income=1.0),
        current_sample=sample(200, order_id=ids, income=np.nan),
    )
    # then
    assert r"Without order\\_id, income: empty" in written.html.read_text()


def test_of_many_columns_those_of_largest_effect_are_summarised(write: Write) -> None:
    # given 30 columns, one of which moved
    report = made_report()
    loudest = next(one.column for one in moved(report) if one.judgement.level is Level.ACT)
    many = {f"column_{place}": 1.0 for place in range(30)} | {loudest: 2.0}
    # when
    page = write(report, reference_sample=sample(60, **many), current_sample=sample(50, **many)).html.read_text()
    # then
    assert "Of the 33 columns these are the 10 of largest effect." in page
    assert f'"header": "{loudest}"' in page
    assert '"header": "column_29"' not in page


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Verdict, Path]:
    folder = tmp_path_factory.mktemp("pages")
    return {
        verdict: write_report(
            made_report(verdict),
            reference_sample=sample(60),
            current_sample=sample(50),
            categorical=["purpose"],
            folder=folder / verdict.value,
            evidently_workspace=folder / "evidently",
            project="points",
            timestamp=datetime(2026, 10, 1, tzinfo=UTC),
        ).html
        for verdict in Verdict
    }


@needs_chromium
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("verdict", [Verdict.ACT, Verdict.INCOMPLETE])
def test_the_page_shows_everything_with_the_network_off(
    pages: Mapping[Verdict, Path], verdict: Verdict, width: int
) -> None:
    # given
    report = made_report(verdict)
    # when
    page = open_page(pages[verdict], width=width)
    # then
    assert not page.console
    assert not page.requests
    assert not page.wide
    lines = [line for line in page.text.splitlines() if line]
    assert lines[:3] == [report.title, verdict.name, report.sentence]
    assert [line for line in lines if line in SECTIONS][-1] == "Sample summary by Evidently"
    assert page.dom.count('class="js-plotly-plot"') == 2
    if verdict is Verdict.ACT:
        _holds_every_part(report, page)


def _holds_every_part(report: PeriodReport, page: RenderedPage) -> None:
    headings = [line for line in page.text.splitlines() if line in SECTIONS]
    assert headings[-len(SECTIONS) :] == list(SECTIONS)
    for told in (*report.points, *report.faults, *report.smallest_changes):
        assert (told.text if hasattr(told, "text") else told.remedy) in page.text
    for one in moved(report):
        assert one.column in page.text
    assert page.text.count("What an estimate without outcomes cannot detect") == 1
    assert page.dom.count('viewBox="0 0 380 220"') == 1 + 5 + 1 + 5
    assert page.dom.count('class="plot card"') == 12 + 4 + 37  # pictures, score and decisions, features
    assert HOSTILE in unescape(page.dom)


@needs_chromium
def test_parts_of_which_nothing_is_known_are_left_out(write: Write) -> None:
    # when
    page = open_page(write(quiet(made_report(Verdict.STABLE))).html)
    # then
    headings = {line for line in page.text.splitlines() if line in SECTIONS}
    assert headings == {"Score and decisions", "Columns", "Segments", *SECTIONS[-2:]}
    assert "Approval rate" not in page.text


@needs_chromium
def test_the_tests_tab_passes_and_fails_as_the_columns_do(pages: Mapping[Verdict, Path]) -> None:
    # when
    page = open_page(pages[Verdict.ACT], script="[...document.querySelectorAll('button')].at(-1).click()")
    # then
    found = moved(made_report())
    assert page.text.count("Moved: act") + page.text.count("Moved: watch") == len(found)
    assert page.text.count("Not moved") == 41 - len(found)
    assert page.dom.count("MuiAlert-colorError ") == len(found) + 1  # the verdict
