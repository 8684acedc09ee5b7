"""Results of the Python API are typed, have a table, and are shown as HTML in a notebook."""

import json
from pathlib import Path

import pandas as pd
import pytest

import thinfile
from pipelines.applications.sources import german_credit_path

MOVE = {
    "column": "income",
    "segment": "all",
    "role": "feature",
    "level": "act",
    "psi": 0.7,
    "limit": 0.3,
    "since": "2026-01",
    "rows": 40,
    "reference_rows": 100,
    "labels": ["up to 9", "more"],
    "reference": [25, 75],
    "current": [30, 10],
}


@pytest.fixture
def watched(tmp_path: Path) -> thinfile.WatchResult:
    (tmp_path / "report.json").write_text(json.dumps({"moves": [MOVE]}))
    answer = {"verdict": "act", "causes": ["mix shift"], "report_json": str(tmp_path / "report.json")}
    return thinfile.WatchResult(answer, "ACT: 40 <new> applications\n  since: 2026-01\n", 3)


def test_a_report_has_its_comparisons_and_the_shares_of_their_bins(watched: thinfile.WatchResult) -> None:
    assert watched.frame.loc[0, ["column", "level", "psi"]].tolist() == ["income", "act", 0.7]
    assert watched.causes == ["mix shift"]
    assert watched.bins("income").to_dict("index") == {
        "up to 9": {"reference": 0.25, "current": 0.75},
        "more": {"reference": 0.75, "current": 0.25},
    }
    with pytest.raises(
        thinfile.RequestError, match="column 'age' of segment 'all' was not compared; choose one of inc"
    ):
        watched.bins("age")


def test_a_notebook_shows_the_first_line_the_table_and_the_summary(watched: thinfile.WatchResult) -> None:
    page = watched._repr_html_()
    assert page.startswith("<p><b>ACT: 40 &lt;new&gt; applications</b></p><table")
    assert "<td>income</td>" in page
    assert page.endswith("<pre>  since: 2026-01</pre></details>")


def test_a_long_table_is_cut() -> None:
    trials = [
        {"trial": n, "family": "scorecard", "cv_auc": 0.7, "seconds": 1, "cost": 1, "behind": None, "parameters": {}}
        for n in range(25)
    ]
    page = thinfile.CompareResult({"trials": trials}, "study\n", 0)._repr_html_()
    assert page.count("<tr") == 1 + 1 + 20  # the names, that of the index, the rows
    assert "<p>5 more rows</p>" in page


@pytest.mark.parametrize("kind", [thinfile.PromoteResult, thinfile.WatchResult, thinfile.TuneResult])
def test_an_answer_without_a_table_shows_its_text(kind: type[thinfile.Result]) -> None:
    assert kind({}, "nothing to decide\n", 0)._repr_html_() == "<p><b>nothing to decide</b></p>"


@pytest.mark.integration
def test_the_loop_in_python_answers_with_tables(tmp_path: Path) -> None:
    table = pd.read_csv(german_credit_path()).assign(application_id=[f"G{row}" for row in range(1_000)])
    table.head(700).to_csv(tmp_path / "past.csv", index=False)
    table.tail(300).drop(columns="creditability").to_csv(tmp_path / "month.csv", index=False)
    here = {"workspace": tmp_path / "workspace"}
    roles = ("data=german_credit", "data.id=application_id")
    tuned = thinfile.tune(*roles, "data.path=" + str(tmp_path / "past.csv"), "candidate=scorecard", trials=3, **here)
    auc = tuned.frame.loc["auc"]
    assert auc["low"] < auc["value"] == tuned.test_auc < auc["high"]

    study = thinfile.compare(study=tuned.study, **here)
    assert study.frame.index.tolist() == [0, 1, 2]
    assert study.frame["cv_auc"].max() == tuned.answer["cv_auc"]
    assert {"behind", "is_real", "max_bins"} <= set(study.frame)
    assert study.page is not None
    assert study.page.is_file()

    promoted = thinfile.promote(**here)
    assert promoted.frame.loc["discrimination", "answer"] == "passed"
    assert promoted.groups.loc["age_in_years", "approval_rate"].between(0, 1).all()
    assert promoted.document is not None
    assert promoted.document.is_file()

    versions = thinfile.compare(**here)
    assert versions.frame.loc[1, "role"] == "champion"
    assert versions.study_frame["behind"].tolist() == [0.0]

    scored = thinfile.score(*roles, "data.path=" + str(tmp_path / "month.csv"), period="2026-01", **here)
    rows = scored.frame
    assert rows["decision"].value_counts().to_dict() == {name: n for name, n in scored.decisions.items() if n}
    assert set(rows.index) == set(table["application_id"].tail(300))
    assert rows["reasons"].notna().tolist() == (rows["decision"] != "approved").tolist()
    approved, declined = (rows.index[rows["decision"] == one][0] for one in ("approved", "declined"))
    assert scored.offer(approved, 100_000).amount > 0
    assert scored.offer(declined, 100_000).amount == 0
    with pytest.raises(thinfile.RequestError, match="application 'nobody' has no decision of 2026-01 by version 1"):
        scored.offer("nobody", 100_000)

    report = thinfile.watch(period="2026-01", **here)
    assert len(report.frame) >= 17
    assert report.bins("duration_in_month").sum().round(9).tolist() == [1.0, 1.0]
    for result in (tuned, study, promoted, versions, scored, report):
        assert result._repr_html_().count("<table") == 1
