"""Flat tables as lenders have them: each is written by its test, and tuned and promoted by command."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import thinfile
from tests.pipelines.applications.test_maturity import loans

TUNE = ("tune", "data=table", "data.label=bad", "data.id=id", "candidate=scorecard", "trials=1")


def run(capsys: pytest.CaptureFixture[str], *words: Any) -> tuple[int, str]:
    """Run a command and return its exit code and all that it printed."""
    code = thinfile.main([*map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.integration
def test_payments_after_the_loan_are_warned_of_and_refused(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # given: paybacks until today among the columns, none of which exceeds an AUC of 0.9 on its own
    generator, rows = np.random.default_rng(seed), 1500
    applied = pd.Timestamp("2023-01-01") + pd.to_timedelta(np.arange(rows) * 6, "h")
    bad = generator.binomial(1, 0.15, rows)
    table = pd.DataFrame({"id": range(rows), "applied_at": applied, "sex": generator.choice(["F", "M"], rows)})
    table["income"] = generator.normal(3000, 500, rows).round()
    table["paybacks_so_far"] = generator.poisson(np.where(bad, 2.0, 1.0))
    table["last_payback_amount"] = generator.lognormal(np.where(bad, 6.5, 7.2), 0.5).round()
    table["paid_on"] = applied + pd.Timedelta(31, "D")
    table.assign(bad=bad).to_csv(tmp_path / "loans.csv", index=False)
    where = f"workspace={tmp_path / 'w'}"
    roles = ("data.time=applied_at", "data.protected=[sex]")
    code, printed = run(capsys, *TUNE, f"data.path={tmp_path / 'loans.csv'}", *roles, where)
    assert code == 0, printed
    assert "possible leak: paybacks_so_far (named as a later event" in printed
    code, printed = run(capsys, "promote", where, "output=json")
    assert code == 3, printed
    evidence = json.loads(printed[: printed.rindex("}") + 1])["evidence"]
    (leak,) = (gate for gate in evidence["gates"] if gate["gate"] == "no leak")
    assert not leak["passed"]
    for name in ("paybacks_so_far", "last_payback_amount", "paid_on"):
        assert name in leak["sentence"]
    assert sum(one["rows"] for one in evidence["vintages"]) == evidence["about"]["rows"]
    assert [(one["attribute"], one["level"]) for one in evidence["segments"]] == [("sex", "F"), ("sex", "M")]
    assert set(evidence["segments"][0]) == {"attribute", "level", "rows", "bad", "enough", "measures"}
    assert set(evidence["vintages"][0]) == {"vintage", "rows", "bad", "enough", "measures"}


@pytest.mark.integration
def test_immature_outcomes_are_warned_of_until_a_window_is_declared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loans(5).to_csv(tmp_path / "loans.csv", index=False)
    settings = (*TUNE, f"data.path={tmp_path / 'loans.csv'}", "data.time=applied_at")
    where = f"workspace={tmp_path / 'w'}"
    code, printed = run(capsys, *settings, where)
    assert code == 0, printed
    assert "possible immaturity: the bad rate falls from" in printed
    code, printed = run(capsys, "promote", where, "policy.gates.minimum_auc=0")
    assert "not measured  outcome maturity: assumed (the table has no outcome dates); possible immaturity" in printed
    document = Path(re.search(r"document: (\S+)", printed)[1]).read_text()  # type: ignore[index]
    assert "Possible immaturity: the bad rate falls from" in document
    # then: one setting is enough
    where = f"workspace={tmp_path / 'declared'}"
    code, printed = run(capsys, *settings, "data.performance_months=12", where)
    assert code == 0, printed
    assert "possible immaturity" not in printed
    assert "of 12 months is open" in printed
    # a year of mature loans is too short for another year between development and test
    advice = re.search(
        r"warning: ([\d,]+ of [\d,]+ applications before the cutoff .* split without an embargo)", printed
    )
    assert advice is not None, printed
    code, printed = run(capsys, "promote", where, "policy.gates.minimum_auc=0")
    gate = "not measured  outcome maturity: outcomes of the training rows may not have been known when the test began: "
    assert gate + advice[1] in printed
    document = Path(re.search(r"document: (\S+)", printed)[1]).read_text()  # type: ignore[index]
    assert "left out: the performance window of 12 months was open" in document
    assert f"outcomes that were not known at the start of the test ({advice[1]})." in document
