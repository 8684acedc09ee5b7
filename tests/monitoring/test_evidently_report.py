"""The drift report says what the findings say, once, and opens without a network."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitoring.drift import Finding, Verdict
from monitoring.evidently_report import ReportFiles, write_report
from pipelines.credit.stability import noise_limit, population_stability_index
from tests.chromium import find_chromium, open_page

HOSTILE = "</script><script>console.error('ran')</script>"
LABELS = ("under 10", "10 to 20", "20 and over", HOSTILE)

Write = Callable[..., ReportFiles]


def finding(column: str, *current: int, is_score: bool = False) -> Finding:
    reference = (100, 100, 100, 100)
    psi = population_stability_index(np.array(reference), np.array(current))
    return Finding(column, is_score, psi, noise_limit(400, 400, 4, level=0.01), LABELS, reference, current)


AGE = finding("age_in_years", 101, 99, 101, 99)
PURPOSE = finding("purpose", 130, 120, 80, 70)
DURATION = finding("duration_in_month", 200, 150, 40, 10)
POINTS = finding("points", 99, 101, 99, 101, is_score=True)


def sample(rows: int, **columns: object) -> pd.DataFrame:
    generator = np.random.default_rng(rows)
    purposes = generator.choice(["car", "education", HOSTILE], rows)
    return pd.DataFrame({"duration_in_month": generator.integers(4, 72, rows), "purpose": purposes} | columns)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return partial(
        write_report,
        title="Points, applications of 2024-05",
        verdict=Verdict.ACT,
        summary="2 of 4 columns moved further than noise can explain.",
        findings=[AGE, PURPOSE, DURATION, POINTS],
        reference_sample=sample(60),
        current_sample=sample(50),
        categorical=["purpose"],
        folder=tmp_path / "2024-05",
        evidently_workspace=tmp_path / "evidently",
        project="points",
        timestamp=datetime(2024, 6, 1, tzinfo=UTC),
    )


def test_the_score_comes_first_and_features_follow_from_the_loudest(write: Write) -> None:
    # when
    report = json.loads(write().json.read_text())
    # then
    assert [found["column"] for found in report["findings"]] == [f.column for f in (POINTS, DURATION, PURPOSE, AGE)]
    assert [found["alarmed"] for found in report["findings"]] == [False, True, True, False]
    assert [found["psi"] for found in report["findings"]] == [f.psi for f in (POINTS, DURATION, PURPOSE, AGE)]
    assert report["verdict"] == "act"


def test_the_stored_run_tests_each_psi_against_its_own_limit(write: Write, tmp_path: Path) -> None:
    from evidently.ui.workspace import Workspace

    # given a limit that rounds to zero, as it does for millions of applications
    book = Finding("book", False, 3e-6, 2.4e-6, LABELS, (1, 1, 1, 1), (1, 1, 1, 1))
    findings = [AGE, PURPOSE, DURATION, POINTS, book]
    # when
    written = write(findings=findings)
    # then
    workspace = Workspace(str(tmp_path / "evidently"))
    [project] = workspace.search_project("points")
    run = workspace.get_run(project.id, written.evidently_run)
    stored = [(result, test) for result in run.metric_results.values() for test in result.tests]
    told = {
        test.metric_config.params["column"]: (result.value, test.test_config["threshold"]) for result, test in stored
    }
    assert told == {finding.column: (finding.psi, finding.limit) for finding in findings}
    assert {test.name for _, test in stored if test.status.value == "FAIL"} >= {"book: PSI 3e-06, limit 2.4e-06, ALARM"}
    assert sum(test.status.value == "FAIL" for _, test in stored) == sum(finding.alarmed for finding in findings)


def test_a_report_written_again_replaces_the_first(write: Write, tmp_path: Path) -> None:
    # given
    first = write()
    # when
    again = write(verdict=Verdict.STABLE)
    other = write(title="Points, applications of 2024-06", folder=tmp_path / "2024-06")
    # then
    assert again == first
    assert json.loads(first.json.read_text())["verdict"] == "stable"
    assert {path.name for path in (tmp_path / "2024-05").iterdir()} == {"report.html", "report.json"}
    assert len(list(tmp_path.glob("evidently/*/metadata.json"))) == 1
    runs = {path.stem for path in tmp_path.glob("evidently/*/snapshots/*")}
    assert runs == {first.evidently_run, other.evidently_run}


def test_a_project_of_the_same_name_is_used_and_one_begun_is_finished(write: Write, tmp_path: Path) -> None:
    from evidently.ui.workspace import Workspace

    # given a project made by hand, and the folder of one whose writer was killed
    made = Workspace(str(tmp_path / "evidently")).create_project("points")
    (tmp_path / "evidently" / "00000000-0000-5000-8000-000000000000").mkdir()
    # when
    written = write()
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
    written = write(reference_sample=sample(60, income=incomes(60)), current_sample=sample(rows, income=incomes(rows)))
    # then
    page = written.html.read_text()
    assert "ACT" in page
    assert ("Dataset Summary" in page) == (rows > 0)


def test_a_sample_that_stops_evidently_does_not_silence_the_alarm(write: Write) -> None:
    # given a constant so large that Evidently finds no room for bins around it
    constant = [1e300] * 50
    # when
    written = write(reference_sample=sample(50, income=constant), current_sample=sample(50, income=constant))
    # then
    page = written.html.read_text()
    assert "ACT" in page
    assert "Left out, because of ValueError" in page


def test_columns_that_cannot_be_summarised_are_named(write: Write) -> None:
    # given
    ids = [f"order {number}" for number in range(200)]
    # when
    written = write(
        reference_sample=sample(200, order_id=ids, income=1.0), current_sample=sample(200, order_id=ids, income=np.nan)
    )
    # then
    assert r"Without order\\_id, income: empty" in written.html.read_text()


@pytest.mark.skipif(not find_chromium(), reason="no Chromium is installed")
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_shows_everything_with_the_network_off(write: Write, width: int) -> None:
    # given
    written = write()
    # when
    page = open_page(written.html, width=width)
    # then
    assert not page.console
    assert not page.requests
    assert not page.wide
    assert page.dom.count('class="js-plotly-plot"') == 4 + 2
    lines = [line for line in page.text.splitlines() if line not in ("", "Metrics", "Tests")]
    assert lines[:4] == [
        "Points, applications of 2024-05",
        "ACT",
        "2 of 4 columns moved further than noise can explain.",
        "2 of 4 columns moved beyond the limit",
    ]
    assert "duration_in_month: PSI 0.86, limit 0.057, ALARM" in lines


@pytest.mark.skipif(not find_chromium(), reason="no Chromium is installed")
def test_the_tests_tab_passes_and_fails_as_the_findings_do(write: Write) -> None:
    # given
    written = write()
    # when
    page = open_page(written.html, script="[...document.querySelectorAll('button')].at(-1).click()")
    # then
    assert page.text.count("Beyond the limit") == 2
    assert page.text.count("Within the limit") == 2
    assert page.dom.count("MuiAlert-colorError ") == 2
