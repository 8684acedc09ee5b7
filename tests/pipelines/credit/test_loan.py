"""What a credit analyst would say of a schedule, said by the loan contract."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from omegaconf import OmegaConf

from pipelines.credit.loan import (
    DEFINITIONS,
    BadDefinition,
    Instalments,
    LoanContract,
    Loans,
    Status,
    add_months,
    check,
    labels,
    months_on_book,
    recorded_contract,
    require_mature,
    status_counts,
    statuses,
    turned_bad_at,
    window_end,
)
from pipelines.credit.periods import Period, Repayment
from pipelines.credit.vintage import vintage_table
from pipelines.errors import ConfigurationError, DataError
from pipelines.storage.json_values import to_json_values
from tests.pipelines.credit.schedules import Payment, Schedule, columns, moment, random_loans, shuffled

AS_OF = "2024-06-30"
DPD90, FPD, DPD30 = "dpd90_in_12_months", "first_payment_default", "dpd30_at_3_mob"


@dataclass(frozen=True)
class Case:
    """A schedule, and what an analyst says of it."""

    says: str
    schedule: Schedule
    status: Status
    label: int
    definition: str = DPD90
    as_of: str = AS_OF


def contract_of(definition: str, as_of: str = AS_OF) -> LoanContract:
    return LoanContract(DEFINITIONS[definition], as_of)


def paid(*dues: str) -> tuple[Payment, ...]:
    """Instalments paid on the day."""
    return tuple(Payment(due, due) for due in dues)


FIRST, SECOND, THIRD = "2023-02-10T09:00", "2023-03-10T09:00", "2023-04-10T09:00"
USUAL = paid(FIRST, SECOND, THIRD)
# The window of a loan disbursed on 2023-01-10 09:00 closes on 2024-01-10 09:00; 90 days before that lies this due date:
EDGE = "2023-10-12T09:00"
PAST_EDGE = "2023-10-12T09:00:00.000001"

CASES = [
    Case("every instalment was paid on its day: good", Schedule(USUAL), Status.mature, 0),
    Case(
        "every instalment was paid weeks early: good",
        Schedule((Payment(FIRST, "2023-01-20"), Payment(SECOND, "2023-01-20"), Payment(THIRD, "2023-02-01"))),
        Status.mature,
        0,
    ),
    Case("one came ten days late: good", Schedule((Payment(FIRST, "2023-02-20"), *USUAL[1:])), Status.mature, 0),
    Case(
        "60 days late, then cured: good under 90 days",
        Schedule((Payment(FIRST, "2023-04-11T09:00"), *USUAL[1:])),
        Status.mature,
        0,
    ),
    Case(
        "60 days late, then cured: bad under 30 days, curing does not undo it",
        Schedule((Payment(FIRST, "2023-04-11T09:00"), *USUAL[1:])),
        Status.mature,
        1,
        DPD30,
    ),
    Case(
        "cured after 91 days: bad under 90 days, whatever came later",
        Schedule((Payment(FIRST, "2023-05-12T09:00"), *USUAL[1:])),
        Status.mature,
        1,
    ),
    Case("reaches 90 days exactly as the window closes: bad", Schedule((Payment(EDGE),)), Status.mature, 1),
    Case("reaches 90 days a microsecond after it closed: good", Schedule((Payment(PAST_EDGE),)), Status.mature, 0),
    Case(
        "paid at the very moment it would have reached 90 days: in time, good",
        Schedule((Payment(FIRST, "2023-05-11T09:00"), *USUAL[1:])),
        Status.mature,
        0,
    ),
    Case(
        "paid a microsecond after it reached 90 days: bad",
        Schedule((Payment(FIRST, "2023-05-11T09:00:00.000001"), *USUAL[1:])),
        Status.mature,
        1,
    ),
    Case(
        "written off within the window before 90 days were reached: bad",
        Schedule((*USUAL, Payment("2023-12-01")), written_off_at="2024-01-10T09:00"),
        Status.mature,
        1,
    ),
    Case(
        "written off after the window closed: good within it",
        Schedule((*USUAL, Payment("2023-12-01")), written_off_at="2024-01-10T09:00:00.000001"),
        Status.mature,
        0,
    ),
    Case(
        "written off, but the first instalment was paid: no first-payment default",
        Schedule(USUAL, written_off_at="2023-03-01"),
        Status.mature,
        0,
        FPD,
    ),
    Case(
        "goods sent back before anything was due: no loan to judge",
        Schedule((Payment(FIRST), Payment(SECOND)), refunded_at="2023-01-25"),
        Status.refunded,
        -1,
    ),
    Case(
        "sent back as the first instalment fell due, which settled all: a loan, and a good one",
        Schedule(USUAL, refunded_at=FIRST),
        Status.mature,
        0,
    ),
    Case(
        "sent back late, the instalment before it never paid: bad",
        Schedule((Payment(FIRST), *USUAL[1:]), refunded_at="2023-08-01"),
        Status.mature,
        1,
    ),
    Case(
        "sent back before anything was due, but only after the data ends: not known, so immature",
        Schedule((Payment(FIRST),), refunded_at="2023-01-25"),
        Status.immature,
        -1,
        as_of="2023-01-24",
    ),
    Case(
        "one cent short for ever: unpaid, so bad",
        Schedule((Payment(FIRST, FIRST, 99), *USUAL[1:])),
        Status.mature,
        1,
    ),
    Case("more was paid than due: good", Schedule((Payment(FIRST, FIRST, 150), *USUAL[1:])), Status.mature, 0),
    Case(
        "overpaid once, the next never paid: bad, the surplus settles nothing",
        Schedule((Payment(FIRST, FIRST, 200), Payment(SECOND), USUAL[2])),
        Status.mature,
        1,
    ),
    Case(
        "still open when the data ends, paid so far: immature",
        Schedule((*paid("2024-05-10"), Payment("2024-06-10"), Payment("2024-07-10")), disbursed_at="2024-04-10"),
        Status.immature,
        -1,
    ),
    Case(
        "24 months, window closed, later instalments still to come: good",
        Schedule((*USUAL, Payment("2024-12-10"))),
        Status.mature,
        0,
    ),
    Case(
        "never paid a cent, window still open: immature, bad news must not come first",
        Schedule((Payment("2023-08-15"), Payment("2023-09-15")), disbursed_at="2023-07-15"),
        Status.immature,
        -1,
    ),
    Case(
        "written off early, window still open: immature",
        Schedule((Payment("2023-08-15"),), disbursed_at="2023-07-15", written_off_at="2024-01-01"),
        Status.immature,
        -1,
    ),
    Case(
        "paid off early, window still open: immature, good news must not come first",
        Schedule((Payment("2023-08-15", "2023-07-20"),), disbursed_at="2023-07-15"),
        Status.immature,
        -1,
    ),
    Case(
        "paid off early, window just closed: good",
        Schedule((Payment("2023-08-15", "2023-07-20"),), disbursed_at="2023-07-15"),
        Status.mature,
        0,
        as_of="2024-07-15",
    ),
    Case(
        "window closes a microsecond after the data ends: immature",
        Schedule(USUAL),
        Status.immature,
        -1,
        as_of="2024-01-10T08:59:59.999999",
    ),
    Case("approved, the goods never bought: not taken up", Schedule(disbursed_at=None), Status.not_taken_up, -1),
    Case(
        "disbursed the day after the data ends: not taken up as far as is known",
        Schedule(paid("2024-08-01"), disbursed_at="2024-07-01"),
        Status.not_taken_up,
        -1,
    ),
    Case("declined: nobody knows", Schedule(disbursed_at=None, approved=False), Status.declined, -1),
    Case(
        "never paid, and confirmed fraud: an exclusion, not credit risk",
        Schedule((Payment(FIRST),), fraud_confirmed_at="2023-06-01"),
        Status.fraud,
        -1,
    ),
    Case(
        "fraud and a refund before the first due date: counted once, as fraud",
        Schedule((Payment(FIRST),), fraud_confirmed_at="2023-06-01", refunded_at="2023-01-20"),
        Status.fraud,
        -1,
    ),
    Case(
        "fraud confirmed after the data ends: not known, so bad",
        Schedule((Payment(FIRST),), fraud_confirmed_at="2024-07-01"),
        Status.mature,
        1,
    ),
    Case(
        "first instalment 30 days unpaid: a first-payment default",
        Schedule((Payment(FIRST, "2023-03-13"), *USUAL[1:])),
        Status.mature,
        1,
        FPD,
    ),
    Case(
        "first paid, second 30 days unpaid: no first-payment default",
        Schedule((USUAL[0], Payment(SECOND), USUAL[2])),
        Status.mature,
        0,
        FPD,
    ),
    Case(
        "first paid, second 30 days unpaid within three months: 30+ at 3 MOB",
        Schedule((USUAL[0], Payment(SECOND), USUAL[2])),
        Status.mature,
        1,
        DPD30,
    ),
    Case(
        "third instalment falls due as the three months end: it cannot be 30 days late within them",
        Schedule((*USUAL[:2], Payment(THIRD))),
        Status.mature,
        0,
        DPD30,
    ),
    Case(
        "disbursed on 30 November: three months end on the last day of February, at that time of day",
        Schedule(paid("2022-12-30"), disbursed_at="2022-11-30T15:00"),
        Status.mature,
        0,
        DPD30,
        "2023-02-28T15:00",
    ),
    Case(
        "the same, a microsecond earlier: immature",
        Schedule(paid("2022-12-30"), disbursed_at="2022-11-30T15:00"),
        Status.immature,
        -1,
        DPD30,
        "2023-02-28T14:59:59.999999",
    ),
    Case(
        "disbursed on the leap day: twelve months end on 28 February",
        Schedule(paid("2020-03-29"), disbursed_at="2020-02-29"),
        Status.mature,
        0,
        DPD90,
        "2021-02-28",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_a_schedule_gets_what_a_credit_analyst_says(case: Case) -> None:
    loans, instalments = columns(case.schedule)
    contract = contract_of(case.definition, case.as_of)
    assert Status(statuses(loans, instalments, contract)[0]) is case.status
    assert labels(loans, instalments, contract).tolist() == [case.label]


def test_schedules_do_not_disturb_each_other() -> None:
    cases = [case for case in CASES if (case.definition, case.as_of) == (DPD90, AS_OF)]
    loans, instalments = columns(*(case.schedule for case in cases))
    assert labels(loans, instalments, contract_of(DPD90)).tolist() == [case.label for case in cases]


def test_months_are_the_calendar_s() -> None:
    starts = pd.date_range("2019-10-01 07:30", "2024-03-31 07:30", freq="D")
    for months in range(-14, 27):
        expected = (starts + pd.DateOffset(months=months)).to_numpy("datetime64[us]")
        assert (add_months(starts.to_numpy("datetime64[us]"), months) == expected).all()


def test_the_window_ends_at_the_time_of_day_of_disbursement() -> None:
    assert window_end(np.array([moment("2024-01-31T23:59:59.999999")]), BadDefinition(30, 3)).tolist() == [
        datetime(2024, 4, 30, 23, 59, 59, 999999)
    ]


@pytest.mark.parametrize(
    ("disbursed_at", "at", "months"),
    [
        ("2024-01-15T10:00", "2024-02-15T09:59", 0),
        ("2024-01-15T10:00", "2024-02-15T10:00", 1),
        ("2023-12-31", "2024-02-28", 1),
        ("2023-12-31", "2024-02-29", 2),
        ("2024-02-29", "2025-02-28", 12),
        ("2024-01-15", "2024-01-14", -1),
        (None, "2024-01-14", -1),
    ],
)
def test_months_on_book_are_whole_and_start_at_disbursement(disbursed_at: str, at: str, months: int) -> None:
    assert months_on_book(np.array([moment(disbursed_at)]), np.array([moment(at)])).tolist() == [months]


WINDOWS = [*DEFINITIONS.values(), BadDefinition(14, window_days=60), BadDefinition(30, 3, write_off=False)]


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(WINDOWS), st.integers(0, 800))
def test_a_plain_reading_of_the_rules_agrees(seed: int, bad: BadDefinition, day: int) -> None:
    loans, instalments = random_loans(seed, 60)
    contract = LoanContract(bad, str(np.datetime64("2022-06-01") + day))
    found = statuses(loans, instalments, contract)
    plain = [plain_reading(loans, instalments, contract, place) for place in range(len(loans))]
    assert [Status(one).name for one in found] == [name for name, _ in plain]
    assert labels(loans, instalments, contract).tolist() == [label for _, label in plain]


def plain_reading(loans: Loans, instalments: Instalments, contract: LoanContract, place: int) -> tuple[str, int]:
    """The oracle: one loan at a time, in Python's own dates."""
    as_of, bad = datetime.fromisoformat(contract.as_of), contract.bad
    disbursed_at, refunded_at, fraud_at, written_off_at = (
        getattr(loans, name)[place].item()
        for name in ("disbursed_at", "refunded_at", "fraud_confirmed_at", "written_off_at")
    )
    mine = sorted(
        (int(number), due_at.item(), paid_at.item() if paid_amount >= due_amount else None)
        for loan, number, due_at, due_amount, paid_at, paid_amount in zip(*vars(instalments).values(), strict=True)
        if loan == place
    )
    if not loans.approved[place]:
        return "declined", -1
    if disbursed_at is None or disbursed_at > as_of:
        return "not_taken_up", -1
    if fraud_at is not None and fraud_at <= as_of:
        return "fraud", -1
    if refunded_at is not None and refunded_at <= as_of and (not mine or refunded_at < mine[0][1]):
        return "refunded", -1
    length = {"days": bad.window_days} if bad.window_days is not None else {"months": bad.window_months}
    end = (pd.Timestamp(disbursed_at) + pd.DateOffset(**length)).to_pydatetime()
    if end > as_of:
        return "immature", -1
    counts = bad.write_off and not bad.first_instalment_only
    if written_off_at is not None and written_off_at <= end and counts:
        return "mature", 1
    for number, due_at, settled_at in mine:
        reaches = due_at + timedelta(days=bad.days_past_due)
        late = settled_at is None or settled_at > reaches
        if late and reaches <= end and (number == 1 or not bad.first_instalment_only):
            return "mature", 1
    return "mature", 0


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_order_of_instalments_changes_nothing(seed: int, order: int) -> None:
    loans, instalments = random_loans(seed, 100)
    other = shuffled(instalments, order)
    contract = contract_of(DPD90)
    assert (labels(loans, instalments, contract) == labels(loans, other, contract)).all()


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 120), st.integers(0, 60))
def test_bad_under_more_days_is_bad_under_fewer(seed: int, fewer: int, more: int) -> None:
    loans, instalments = random_loans(seed, 100)
    strict, lenient = (
        labels(loans, instalments, LoanContract(BadDefinition(days, 12), AS_OF)) for days in (fewer, fewer + more)
    )
    assert (lenient <= strict).all()


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 365))
def test_only_elapsed_time_matures_and_no_label_is_taken_back(seed: int, later: int) -> None:
    loans, instalments = random_loans(seed, 100)
    loans = replace(loans, fraud_confirmed_at=np.full(100, moment(None)))  # the one exclusion that may come after
    then, now = contract_of(DPD90, "2023-08-01"), contract_of(DPD90, str(np.datetime64("2023-08-01") + later))
    before = labels(loans, instalments, then)
    assert (labels(loans, instalments, now)[before >= 0] == before[before >= 0]).all()


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_a_loan_turns_bad_when_its_days_past_due_reach_the_definition(seed: int) -> None:
    loans, instalments = random_loans(seed, 100)
    loans = replace(loans, written_off_at=np.full(100, moment(None)))
    turned = turned_bad_at(loans, instalments, BadDefinition(30, 12))
    ever = ~np.isnat(turned)
    assert (days_past_due(instalments, turned)[ever] >= 30).all()
    assert (days_past_due(instalments, turned - np.timedelta64(1, "us"))[ever] < 30).all()


def days_past_due(instalments: Instalments, at: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return the whole days that the oldest unpaid instalment of each loan is past due, at one moment per loan."""
    moments = at[instalments.loan]
    is_paid = (instalments.paid_amount >= instalments.due_amount) & (instalments.paid_at <= moments)
    late = ~is_paid & (instalments.due_at <= moments)
    days = np.zeros(len(at), np.int64)
    np.maximum.at(days, instalments.loan[late], (moments - instalments.due_at)[late] // np.timedelta64(1, "D"))
    return days


def test_exclusions_are_counted() -> None:
    loans, instalments = columns(*(case.schedule for case in CASES))
    counts = status_counts(statuses(loans, instalments, contract_of(DPD90)))
    assert sum(counts.values()) == len(CASES)
    assert counts["declined"] == 1


def test_labels_are_for_mature_applications_only() -> None:
    require_mature(np.array([Status.mature] * 3, dtype=np.int8))
    found = np.array([Status.mature, Status.immature, Status.immature, Status.fraud], dtype=np.int8)
    with pytest.raises(DataError, match=r"only mature .* received 1 fraud, 2 immature of 4; leave"):
        require_mature(found)


def test_a_contract_is_configured_as_it_is_written() -> None:
    node = OmegaConf.merge(
        OmegaConf.structured(LoanContract),
        OmegaConf.create("{bad: {days_past_due: 90, window_months: 12}, as_of: 2024-06-30}"),
    )
    contract = OmegaConf.to_object(node)
    assert contract == contract_of(DPD90)
    check(contract)


@pytest.mark.parametrize(
    ("as_of", "known_until"),
    [
        ("2024-06-30", "2024-06-30T00:00"),
        ("2024-06-30T23:59:59.999999", "2024-06-30T23:59:59.999999"),
        ("2024-06-30T08:00+08:00", "2024-06-30T00:00"),
    ],
)
def test_the_as_of_date_is_a_moment_of_utc(as_of: str, known_until: str) -> None:
    assert contract_of(DPD90, as_of).known_until == moment(known_until)


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        (LoanContract(BadDefinition(0, 12), AS_OF), "bad.days_past_due must be at least 1, received 0; raise it"),
        (LoanContract(BadDefinition(30, 0), AS_OF), "bad.window_months must be at least 1, received 0; raise it"),
        (
            LoanContract(BadDefinition(90, 2), AS_OF),
            "in its window, received 90 days in 2 months; raise loan.bad.window",
        ),
        (LoanContract(BadDefinition(90, 12), AS_OF, -1), "feature_lag_days must be at least 0, received -1; raise it"),
        (LoanContract(BadDefinition(90, 12), "30.6.2024"), "an ISO date, received '30.6.2024'; write it as 2026-06-30"),
        (LoanContract(BadDefinition(90, 12), ""), "an ISO date, received ''; write it"),
    ],
)
def test_a_contract_that_means_nothing_is_refused(contract: LoanContract, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check(contract)


def test_the_lenders_own_flag_is_the_label_once_the_window_has_passed() -> None:
    # given four loans lent on 10 January 2023 and one a year later, whatever their payments say
    never_paid = Schedule((Payment(FIRST),))
    loans, instalments = columns(
        never_paid, Schedule(USUAL), Schedule(USUAL), Schedule(approved=False, disbursed_at=None),
        Schedule(USUAL, disbursed_at="2024-01-10"),
    )  # fmt: skip
    flagged = replace(loans, bad_flag=np.array([0, 1, 0, -1, 1], np.int8))
    contract = LoanContract(DEFINITIONS[DPD90], "2024-06-30", bad_flag="charged_off")
    # then the flag is taken for the mature ones, and nothing of the others
    assert labels(flagged, instalments, contract).tolist() == [0, 1, 0, -1, -1]
    assert vintage_table(flagged, instalments, contract).bad.tolist() == [[0] * 12 + [1] * 6, [0] * 18]


def test_a_mature_loan_without_the_lenders_flag_stops_the_labels() -> None:
    loans, instalments = columns(Schedule(USUAL), Schedule(USUAL), Schedule(USUAL, disbursed_at="2024-01-10"))
    contract = LoanContract(DEFINITIONS[DPD90], "2024-06-30", bad_flag="charged_off")
    some = replace(loans, bad_flag=np.array([0, -1, -1], np.int8))
    with pytest.raises(DataError, match=r"loan\.bad_flag 'charged_off' is empty for 1 of 2 mature applications; fill"):
        labels(some, instalments, contract)
    with pytest.raises(DataError, match="is empty for 2 of 2"):
        labels(loans, instalments, contract)


@pytest.mark.parametrize(
    "contract",
    [
        LoanContract(BadDefinition(90, 12), AS_OF),
        LoanContract(BadDefinition(14, window_days=60, write_off=False), AS_OF, 3, [8], Repayment(Period.week, 2)),
        LoanContract(BadDefinition(90, 12), AS_OF, bad_flag="charged_off", lowest_charges=-0.25),
    ],
)
def test_a_contract_is_read_back_from_its_record(contract: LoanContract) -> None:
    assert recorded_contract(json.loads(json.dumps(to_json_values(contract)))) == contract


def test_a_record_from_before_terms_were_declared_has_the_monthly_ones() -> None:
    bad = {"days_past_due": 90, "window_months": 12, "first_instalment_only": False}
    record = {"bad": bad, "as_of": AS_OF, "feature_lag_days": 1}
    assert recorded_contract(record) == LoanContract(DEFINITIONS[DPD90], AS_OF, 1)
