"""The report of a month leads with the column that moved decisions, from the profile of a tuned model."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.test_cases import Commands, loans

pytestmark = pytest.mark.integration  # tunes a model


def test_the_report_leads_with_what_moved_the_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run, noise = Commands(tmp_path / "workspace"), np.random.default_rng(4)
    development, month = loans(3000, 1), loans(1500, 2)
    development.assign(ticket=noise.normal(size=3000)).to_csv("development.csv", index=False)
    month["id"] = "M" + month["id"]
    month["income"] -= 900
    month.assign(ticket=noise.normal(3, 1, size=1500)).to_csv("month.csv", index=False)  # by far the largest PSI
    run.champion(tmp_path / "development.csv")
    run.score(tmp_path / "month.csv", "2026-10", "data.ignored=[bad]")
    answer = run("watch", "period=2026-10", "today=2026-12-01")
    assert answer.json["sentence"].startswith("2 columns moved beyond their limits: income, ticket; the score moved")
    report = json.loads(Path(answer.json["report_json"]).read_text())
    assert report["points"][0]["heading"] == "what moved the score"
    assert report["points"][0]["text"].startswith("income +")
    parts = report["attribution"]["parts"]
    assert parts[0]["column"] == "income"
    for shift in ("log_odds", "pd", "approval_rate"):
        assert sum(one[shift] for one in parts) == pytest.approx(report["attribution"][shift], abs=1e-9)
    page = Path(answer.json["report"]).read_text()
    assert "What moved the score" in page
    assert page.index('<th scope="row">income</th>\n<td><span') < page.index('<th scope="row">ticket</th>\n<td><span')
