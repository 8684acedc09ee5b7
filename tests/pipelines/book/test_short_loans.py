"""Loans of any term from raw tables to a training table, each label against plain pandas, and on to a watched month."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import thinfile
from tests.pipelines.book.short_loans import DAY, lay_short_loans

AS_OF = "2023-12-01"
EASY_GATES = tuple(
    f"policy.gates.{gate}"
    for gate in (
        "minimum_bad=5", "minimum_auc=0.4", "lowest_expected_to_observed=0.1", "highest_expected_to_observed=10",
    )
)  # fmt: skip
PREPARE = ("raw.time_zone=UTC", f"loan.as_of={AS_OF}", "features=short", "threads=1")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """Run a verb and return its JSON answer."""
    thinfile.main([*words, "output=json"])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def prepared(workspace: Path) -> pd.DataFrame:
    return pd.read_parquet(workspace / "lake" / "marketplace" / "applications").set_index("application_id")


def labels_by_hand(folder: Path, past_due: int, window: int) -> pd.Series:
    """Return the label of each application whose window has closed, one loan at a time."""
    applications = pd.read_parquet(folder / "applications.parquet")
    instalments = pd.read_parquet(folder / "instalments.parquet").groupby("application_id")
    labels, as_of = {}, pd.Timestamp(AS_OF)
    for loan in applications[applications["disbursed_at"].notna()].itertuples():
        end = loan.disbursed_at + window * DAY
        due = instalments.get_group(loan.application_id)
        is_refunded = loan.refunded_at <= as_of and loan.refunded_at < due["due_at"].min()
        if end > as_of or loan.fraud_confirmed_at <= as_of or is_refunded:
            continue
        reached = due["due_at"] + past_due * DAY
        unpaid = ~((due["paid_amount"] >= due["due_amount"]) & (due["paid_at"] <= reached))
        labels[loan.application_id] = int((unpaid & (reached <= end)).any() or loan.written_off_at <= end)
    return pd.Series(labels)


@pytest.mark.parametrize(
    ("name", "term", "days", "window"),
    [("pay_in_30_days", 30, (30,), 60), ("pay_in_4", 8, (14, 28, 42, 56), 90)],
)
def test_short_loans_are_labelled_as_one_loan_at_a_time_would_be(
    name: str, term: int, days: tuple[int, ...], window: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = lay_short_loans(tmp_path, term=term, days=days)
    answer = run(capsys, "prepare", f"loan={name}", f"raw.folder={folder}", *PREPARE, f"workspace={tmp_path}")
    assert answer["exit_code"] == 0
    table = prepared(tmp_path)
    known = table["bad"].dropna().astype(int).sort_index()
    by_hand = labels_by_hand(folder, 14, window).sort_index()
    assert len(known) > 500
    assert 0.01 < known.mean() < 0.5
    assert known.to_dict() == by_hand.to_dict()
    # and the window is closed when the outcome is known
    loans = pd.read_parquet(folder / "applications.parquet").set_index("application_id")["disbursed_at"]
    outcome_known = table["outcome_known_at"][known.index] - loans[known.index]
    assert (outcome_known == window * DAY).all()
    assert set(table.columns) & {"term", "term_days", "term_weeks"} == {"term_days" if len(days) == 1 else "term_weeks"}
    vintages = pd.read_parquet(tmp_path / "lake" / "marketplace" / "vintages.parquet")
    assert vintages.columns.tolist() == ["month", "wob", "observed", "bad"]


def test_the_lenders_own_flag_is_a_label_without_instalments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = lay_short_loans(tmp_path, term=30, days=(30,), flag="charged_off")
    words = ("loan=pay_in_30_days", "loan.bad_flag=charged_off", f"raw.folder={folder}", *PREPARE)
    assert thinfile.main(["prepare", *words, f"workspace={tmp_path}"]) == 0
    assert "flagged by 'charged_off' after 60 days on book" in capsys.readouterr().out
    table = prepared(tmp_path)
    raw = pd.read_parquet(folder / "applications.parquet").set_index("application_id")
    known = table["bad"].dropna().astype(int)
    assert known.to_dict() == raw["charged_off"][known.index].to_dict()
    # and it is mature once 60 days have passed
    closed = raw["disbursed_at"] + 60 * DAY <= pd.Timestamp(AS_OF)
    assert set(table.index[table["status"] == "immature"]) == set(
        raw.index[raw["disbursed_at"].notna() & (raw["disbursed_at"] <= pd.Timestamp(AS_OF)) & ~closed]
    ) - set(table.index[table["status"].isin(["fraud", "refunded"])])


def test_a_missing_flag_column_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = lay_short_loans(tmp_path, term=30, days=(30,), flag="charged_off")
    words = ("loan=pay_in_30_days", "loan.bad_flag=charged", f"raw.folder={folder}", *PREPARE)
    assert thinfile.main(["prepare", *words, f"workspace={tmp_path}"]) == 2
    assert "charged_off" in capsys.readouterr().err  # as the nearest name


@pytest.mark.integration
def test_pay_in_30_days_from_raw_tables_to_a_watched_month(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # given a champion that learnt from loans until July, whatever it is worth
    folder = lay_short_loans(tmp_path, term=30, days=(30,))
    prepare = ("prepare", "loan=pay_in_30_days", f"raw.folder={folder}", *PREPARE)
    done(capsys, tmp_path, *(word.replace(AS_OF, "2023-08-01") for word in prepare))
    done(capsys, tmp_path, "tune", "data=marketplace", "candidate=scorecard", "trials=1", "model=short")
    done(capsys, tmp_path, "promote", "model=short", "version=1", *EASY_GATES)
    # when August is scored, and watched in December with the outcomes of a later preparation
    done(capsys, tmp_path, *prepare)
    table = prepared(tmp_path)
    august = table[table["applied_at"].dt.strftime("%Y-%m") == "2023-08"].reset_index()
    path = tmp_path / "august.parquet"
    august.drop(columns=["bad", "status", "outcome_known_at"]).to_parquet(path)
    done(capsys, tmp_path, "score", "data=marketplace", "model=short", "period=2023-08", f"input={path}")
    outcomes = ("outcomes.marketplace=marketplace", f"outcomes.as_of={AS_OF}")
    watched = done(capsys, tmp_path, "watch", "model=short", "period=2023-08", *outcomes)
    # then its outcomes are those of the loan contract
    (vintage,) = json.loads(Path(watched["report_json"]).read_text())["performance"]["vintages"]
    known = august["bad"].dropna()
    assert len(known) > 50
    for read in ("early", "matured"):
        found = vintage[read]
        assert (found["definition"], found["loans"], found["bad"]) == ("contract", len(known), known.sum())


def done(capsys: pytest.CaptureFixture[str], workspace: Path, *words: str) -> dict[str, Any]:
    answer = run(capsys, *words, f"workspace={workspace}")
    assert answer["exit_code"] == 0, answer
    return answer
