"""The report of the selection against a market whose truth is known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from experiments.evidence.selection import RandomApprovals, selection_report
from pipelines.applications.applications import Applications
from pipelines.credit.calibration import wilson_interval
from pipelines.errors import DataError
from tests.experiments.reject_inference.test_reject_inference import a_market

ROWS = 6_000


@pytest.fixture(scope="module")
def told() -> tuple[dict[str, Any], Applications, Applications, np.ndarray]:
    """The report on a model that gives everybody the bad rate of the approved, and what it was made of."""
    table, bad, _ = a_market(ROWS)
    approved = np.flatnonzero(table.approved)  # type: ignore[arg-type]
    known = replace(table.take(approved), bad=bad[approved])
    development = np.arange(len(known) // 2)
    flat = np.full(ROWS, known.outcomes[development].mean())
    return selection_report(table, flat, known, development, seed=0, threads=1), table, known, bad


def test_whom_the_policy_declined_is_counted(told: Any) -> None:
    report, table, _, _ = told
    assert report["asked"] == ROWS
    assert report["approved"] + report["by_lot"] + report["declined"] == ROWS
    assert report["by_lot"] == table.by_lot.sum()
    assert report["declined_share"] == pytest.approx(report["declined"] / ROWS)


def test_how_different_they_are_and_where_nobody_was_seen(told: Any) -> None:
    report, table, _, _ = told
    # the best that any model can do: the order of the true chances
    assert report["propensity_auc"] == pytest.approx(0.84, abs=0.03)
    assert report["psi"]["features"][0]["feature"] == "income"
    assert report["psi"]["features"][0]["psi"] > 1
    assert report["psi"]["score"] < 0.01  # a score that is the same for all
    income = table.features["income"].to_numpy()
    support = np.quantile(income[table.approved & ~table.by_lot], 0.01)
    expected = (income[~table.approved] < support).mean()
    assert report["outside_support"]["share_of_declined"] == pytest.approx(expected, abs=0.1)


def test_outcomes_by_lot_show_the_bias_and_those_learnt_from_are_told_apart(told: Any) -> None:
    report, table, known, bad = told
    unseen, learnt_from = (report["by_lot_outcomes"][name] for name in ("unseen", "learnt_from"))
    assert unseen["rows"] + learnt_from["rows"] == known.by_lot.sum()
    assert learnt_from["rows"] == known.by_lot[: len(known) // 2].sum()
    declined = bad[~table.approved].mean()
    assert unseen["low"] < declined < unseen["high"]
    assert unseen["ratio_low"] > 1  # the model of the approved makes the declined look better than they are


def test_the_comparison_by_hand() -> None:
    found = RandomApprovals.of(np.array([1, 0, 0, 1], np.int8), np.array([0.1, 0.1, 0.3, 0.3]))
    assert found is not None
    low, high = wilson_interval(2, 4, 0.95)
    assert (found.rows, found.bad, found.bad_rate, found.low, found.high) == (4, 2, 0.5, low, high)
    assert (found.expected_rate, found.ratio) == (pytest.approx(0.2), pytest.approx(2.5))
    assert (found.ratio_low, found.ratio_high) == (pytest.approx(low / 0.2), pytest.approx(high / 0.2))
    assert RandomApprovals.of(np.empty(0, np.int8), np.empty(0)) is None


def test_without_earlier_decisions_there_is_no_report(told: Any) -> None:
    _, table, known, _ = told
    bare = replace(table, approved=None, by_lot=None)
    with pytest.raises(DataError, match=r"the table has no earlier decisions; add data\.decision=COLUMN"):
        selection_report(bare, np.full(ROWS, 0.1), known, np.arange(10), seed=0, threads=1)
