"""Rules of the loan contract on raw tables: terms, numbers of instalments and sums of schedules, case by case."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.credit.loan import BadDefinition, LoanContract
from pipelines.credit.periods import Period, Repayment
from pipelines.marketplace.intake import Intake, run_intake
from pipelines.marketplace.loan_rules import WRONG_SUM, LoanRules
from tests.pipelines.marketplace.shop import (
    BUCKETS,
    START,
    Tables,
    a_shop,
    clean,
    lay,
    quarantined,
    settings,
    with_cell,
    with_column,
)
from tests.pipelines.marketplace.test_quarantine import LOAN

CONTRACT = LoanContract(BadDefinition(14, window_days=60), "2024-12-31")
PAY_IN_30 = replace(CONTRACT, terms=[30], repayment=Repayment(Period.day, None))
PAY_IN_4 = replace(CONTRACT, terms=[8], repayment=Repayment(Period.week, 2))


def intake_under(loan: LoanContract, tables: Tables, tmp_path: Path) -> Intake:
    raw = settings(lay(tables, tmp_path / "raw"))
    into = tmp_path / "lake" / "own"
    return run_intake(raw, into, buckets=BUCKETS, threads=2, memory_limit="1GB", rules=LoanRules.of(loan))


def single_payments(amount: int = 3_000) -> Tables:
    """Return the shop with one instalment for each loan, and terms of 30."""
    shop = with_column(a_shop(), "applications", "term", 30)
    first = shop["instalments"].take(pa.array(range(0, shop["instalments"].num_rows, 3)))
    shop = shop | {"instalments": first}
    return with_column(with_column(shop, "instalments", "due_amount", amount), "instalments", "paid_amount", amount)


def test_terms_in_days_are_taken_in_under_their_contract_and_refused_under_another(tmp_path: Path) -> None:
    taken = intake_under(PAY_IN_30, single_payments(), tmp_path / "days").tables
    assert not any(table.quarantined for table in taken.values())
    assert clean(tmp_path / "days", "applications")["term"].to_pylist() == [30] * 20
    monthly = intake_under(replace(CONTRACT, bad=BadDefinition(90, 12)), single_payments(), tmp_path / "months").tables
    assert monthly["applications"].quarantined == {"term is not one of 3, 6, 12, 24 months": 20}


def test_a_contract_of_one_term_names_it(tmp_path: Path) -> None:
    shop = with_cell(single_payments(), "applications", "term", 2, 14)
    assert intake_under(PAY_IN_30, shop, tmp_path).tables["applications"].quarantined == {"term is not 30 days": 1}


def test_the_contract_says_how_many_instalments_a_loan_may_have(tmp_path: Path) -> None:
    # given loans of three parts under a contract of one payment
    shop = with_column(a_shop(), "applications", "term", 30)
    taken = intake_under(PAY_IN_30, shop, tmp_path / "one").tables["instalments"]
    assert taken.quarantined["number is not between 1 and 1"] == 2 * 16
    # and under pay in 4, where the fifth would be one too many
    shop = with_cell(with_column(a_shop(), "applications", "term", 8), "instalments", "number", 2, 5)
    taken = intake_under(PAY_IN_4, shop, tmp_path / "four").tables["instalments"]
    assert taken.quarantined == {"number is not between 1 and 4": 1, LOAN: 2}


def test_payments_come_at_most_the_term_and_a_month_early(tmp_path: Path) -> None:
    # the third loan is A03: due on day 134, 61 days after day 73
    for day, broken in ((73, {}), (72, {"paid_at is more than 61 days before due_at": 1})):
        shop = single_payments()
        early = START + timedelta(days=day)
        shop = with_column(shop, "applications", "applied_at", early - timedelta(days=1))
        found = intake_under(PAY_IN_30, with_cell(shop, "instalments", "paid_at", 2, early), tmp_path / str(day))
        assert found.tables["instalments"].quarantined == broken


@pytest.mark.parametrize(
    ("amounts", "is_right"),
    [
        ((1_000, 1_000, 1_000), True),
        ((999, 999, 999), True),  # a minor unit of rounding for each instalment
        ((999, 999, 998), False),  # less than the principal
        ((1_000, 1_000, 100), False),
        ((2_001, 2_001, 2_001), True),  # twice the principal, and rounding
        ((2_001, 2_001, 2_002), False),
        ((100_000, 100_000, 100_000), False),  # major taken for minor units
    ],
)
def test_a_schedule_sums_to_its_principal_and_charges_within_bounds(
    amounts: tuple[int, ...], is_right: bool, tmp_path: Path
) -> None:
    """The first three instalments are those of A01, a loan of 3,000 with charges of at most its principal."""
    shop = a_shop()
    for row, amount in enumerate(amounts):
        shop = with_cell(
            with_cell(shop, "instalments", "due_amount", row, amount), "instalments", "paid_amount", row, 0
        )
        shop = with_cell(shop, "instalments", "paid_at", row, None)
    taken = intake_under(replace(CONTRACT, bad=BadDefinition(90, 12)), shop, tmp_path).tables
    if is_right:
        assert not taken["applications"].quarantined
        return
    assert taken["applications"].quarantined == {WRONG_SUM.sentence: 1}
    assert taken["instalments"].quarantined == {LOAN: 3}
    assert quarantined(tmp_path, "applications")["application_id"].to_pylist() == ["A01"]


def test_the_bounds_of_charges_are_declared(tmp_path: Path) -> None:
    # given loans of 3,000 that are repaid with 3,000: nothing is charged
    dear = replace(CONTRACT, bad=BadDefinition(90, 12), lowest_charges=0.01)
    taken = intake_under(dear, a_shop(), tmp_path / "dear").tables["applications"]
    assert taken.quarantined == {WRONG_SUM.sentence: 16}
    # and loans whose first third is paid at the checkout, under a contract that knows it
    fewer = a_shop()
    fewer |= {"instalments": fewer["instalments"].filter(pa.compute.not_equal(fewer["instalments"]["number"], 1))}
    down = replace(CONTRACT, bad=BadDefinition(90, 12), lowest_charges=-0.34)
    assert not intake_under(down, fewer, tmp_path / "down").tables["applications"].quarantined


def test_a_loan_that_lost_an_instalment_to_another_application_is_set_aside(tmp_path: Path) -> None:
    """Row 2 is the last instalment of A01; A00 was declined and needs no schedule."""
    shop = with_cell(a_shop(), "instalments", "application_id", 2, "A00")
    taken = intake_under(replace(CONTRACT, bad=BadDefinition(90, 12)), shop, tmp_path).tables
    assert taken["applications"].quarantined == {WRONG_SUM.sentence: 1}
    assert taken["instalments"].quarantined == {LOAN: 2}
