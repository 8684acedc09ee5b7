"""Outcomes of a flat table that are not mature, simulated: loans that will turn bad are still good in the table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitoring.outcomes.outcomes import Outcomes, outcomes_of_table
from monitoring.outcomes.performance import PerformanceReport, measure_performance
from monitoring.outcomes.stored_estimates import StoredEstimates
from monitoring.verdict.causes import contradictions
from monitoring.verdict.facts import Facts
from monitoring.verdict.period_report import Verdict
from monitoring.verdict.verdict import sentence_of, verdict_of
from tests.monitoring.outcomes.books import BANDS, book

MONTHS = [f"2025-{month:02d}" for month in range(1, 7)]
SEEN = 0.4
"""The share of the bad loans of the latest two months that are bad already."""


def outcomes(*, mature: bool, seed: int = 0) -> tuple[pd.DataFrame, Outcomes]:
    one, generator = book(MONTHS, seed=seed), np.random.default_rng(seed)
    late = one.decisions["period"] >= MONTHS[-2]
    seen = one.full & (mature | ~late | (generator.random(len(late)) < SEEN))
    table = pd.DataFrame({"application_id": one.decisions["application_id"], "bad": seen.astype(int)})
    return one.decisions, replace(outcomes_of_table(table, "bad", of_everyone=True), is_mature=False)


def report(decisions: pd.DataFrame, full: Outcomes, folder: Path) -> PerformanceReport:
    return measure_performance(decisions, early=None, full=full, stored=StoredEstimates(folder), bands=BANDS)


@pytest.mark.parametrize("seed", range(3))
def test_a_bad_rate_that_falls_with_recency_is_no_better_month(tmp_path: Path, seed: int) -> None:
    performance = report(*outcomes(mature=False, seed=seed), tmp_path)
    (sign,) = performance.immaturity
    assert sign.since == "2025-05"
    assert sign.now < sign.before * (SEEN + 0.2)
    assert all(one.statement.endswith("possibly immature") for one in performance.vintages[-2:])
    assert not any("immature" in one.statement for one in performance.vintages[:-2])
    facts = Facts(rows=12_000, performance=performance, moves=())
    assert contradictions(performance) == []
    assert verdict_of(facts) is Verdict.INCONCLUSIVE
    assert "possible immaturity: the bad rate by bad falls from" in sentence_of(facts, Verdict.INCONCLUSIVE).lower()


@pytest.mark.parametrize("seed", range(3))
def test_outcomes_that_are_mature_are_no_sign(tmp_path: Path, seed: int) -> None:
    assert report(*outcomes(mature=True, seed=seed), tmp_path).immaturity == ()
    decisions, full = outcomes(mature=False, seed=seed)
    assert report(decisions, replace(full, is_mature=True), tmp_path / "declared").immaturity == ()


def test_better_applicants_with_lower_pds_are_no_sign(tmp_path: Path) -> None:
    decisions, generator = book(MONTHS).decisions, np.random.default_rng(1)
    decisions["pd"] *= np.where(decisions["period"] >= MONTHS[-2], SEEN, 1.0)
    bad = (generator.random(len(decisions)) < decisions["pd"]).astype(int)
    table = pd.DataFrame({"application_id": decisions["application_id"], "bad": bad})
    full = replace(outcomes_of_table(table, "bad", of_everyone=True), is_mature=False)
    assert report(decisions, full, tmp_path).immaturity == ()


def test_outcomes_of_open_windows_count_as_unknown(tmp_path: Path) -> None:
    decisions, full = outcomes(mature=False)
    vintages = report(decisions, replace(full, open_from="2025-05"), tmp_path).vintages
    assert [one.matured is not None for one in vintages] == [True, True, True, True, False, False]
