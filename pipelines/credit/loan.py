"""The loan contract: what a default is, when it is known, and which applications have a label.

Loans and instalments are columns. A moment is UTC, datetime64[us]; one that did not happen is NaT.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.arrays import Flags, Times, Wholes
from pipelines.credit.periods import Period, Repayment, broken_terms
from pipelines.errors import ConfigurationError, DataError

Codes = NDArray[np.int8]

DAY = np.timedelta64(1, "D")
NEVER = np.iinfo(np.int64).max
"""Later than every moment, as a count of microseconds."""

GOOD, BAD, UNLABELLED = 0, 1, -1
"""What a label may be; only mature loans have one of the first two."""


@dataclass
class BadDefinition:
    """A loan is bad once an instalment is `days_past_due` days past due, or it is written off, within the window.

    The window closes `window_months` calendar months or `window_days` days after disbursement: one of them is set. With
    `first_instalment_only` neither later instalments nor a write-off count.
    """

    days_past_due: int
    """Days past due from which a loan is bad."""
    window_months: int | None = None
    """Length of the performance window in months on book."""
    first_instalment_only: bool = False
    """Judge the first instalment alone."""
    window_days: int | None = None
    """Length of the performance window in days on book, instead of months."""
    write_off: bool = True
    """Whether a write-off within the window is bad too."""

    @property
    def window(self) -> str:
        """The length of the window in words.

        >>> BadDefinition(90, 12).window, BadDefinition(14, window_days=60).window
        ('12 months on book', '60 days on book')
        """
        months = self.window_months is not None
        length = Period.month.counted(self.window_months or 0) if months else Period.day.counted(self.window_days or 0)
        return f"{length} on book"

    @property
    def longest_window_days(self) -> int:
        """Days that the window has at most."""
        return 31 * self.window_months if self.window_months is not None else self.window_days or 0


FIRST_PAYMENT = "first_payment_default"
"""The definition whose rise points to fraud."""

DEFINITIONS: Mapping[str, BadDefinition] = {
    FIRST_PAYMENT: BadDefinition(30, 3, first_instalment_only=True),
    "dpd30_at_3_mob": BadDefinition(30, 3),
    "dpd90_in_12_months": BadDefinition(90, 12),
}
"""The bad definitions in common use, by name."""


@dataclass
class LoanContract:
    """What a default is and when it is known.

    Nothing after `as_of` is known: an ISO date, meaning its first moment, or an ISO time, UTC unless it names a zone.
    Features use what was known `feature_lag_days` days before the application, or at the application when it is 0.
    """

    bad: BadDefinition
    """Definition of default."""
    as_of: str
    """Date after which nothing is known (ISO; UTC unless it names a zone)."""
    feature_lag_days: int = 0
    """Days before the application at which the history used by features ends."""
    terms: list[int] = field(default_factory=lambda: [3, 6, 12, 24])
    """Terms that loans may have, in periods of `repayment`."""
    repayment: Repayment = field(default_factory=Repayment)
    """Unit of the terms, and how often a loan is repaid."""
    lowest_charges: float = 0.0
    """Least that a loan's instalments sum to beyond its principal, as a share of it."""
    highest_charges: float = 1.0
    """Most that a loan's instalments sum to beyond its principal, as a share of it."""
    bad_flag: str | None = None
    """Column of the applications with the lender's own flag of a default (1 is bad), instead of days past due and
    write-offs; it is read once the window of `bad` has passed."""

    @property
    def definition(self) -> str:
        """The definition of bad in words.

        >>> LoanContract(BadDefinition(90, 12), "2026-06-30").definition
        '90 days past due within 12 months on book'
        >>> LoanContract(BadDefinition(90, 12), "2026-06-30", bad_flag="charged_off").definition
        "flagged by 'charged_off' after 12 months on book"
        """
        if self.bad_flag is not None:
            return f"flagged by '{self.bad_flag}' after {self.bad.window}"
        return f"{self.bad.days_past_due} days past due within {self.bad.window}"

    @property
    def known_until(self) -> np.datetime64:
        """The as-of date as a moment, UTC."""
        moment = datetime.fromisoformat(self.as_of)
        return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment, "us")


class Status(IntEnum):
    """Whether an application has a label, and if not why; the first that applies."""

    declined = 0
    not_taken_up = 1
    """Approved, not disbursed by the as-of date."""
    fraud = 2
    refunded = 3
    """Before the first instalment was due."""
    immature = 4
    """The performance window is still open, whatever has happened so far."""
    mature = 5
    """The only one with a label."""


@dataclass(frozen=True)
class Loans:
    """Applications, each shape (n,); `bad_flag` is the lender's own label, -1 where it has none."""

    approved: Flags
    disbursed_at: Times
    refunded_at: Times
    fraud_confirmed_at: Times
    written_off_at: Times
    bad_flag: Codes | None = None

    def __len__(self) -> int:
        return len(self.approved)


@dataclass(frozen=True)
class Instalments:
    """Instalments in any order, each shape (m,); amounts in minor units.

    `loan` is the place of the loan in `Loans`; `number` 1 is the first. `paid_at` is when the last payment arrived.
    """

    loan: Wholes
    number: Wholes
    due_at: Times
    due_amount: Wholes
    paid_at: Times
    paid_amount: Wholes

    def unpaid(self, at: Times) -> Flags:
        """Return whether each is unpaid at its own moment; a part settles nothing, payment at that moment does."""
        return ~((self.paid_amount >= self.due_amount) & (self.paid_at <= at))


def recorded_contract(record: Mapping[str, Any]) -> LoanContract:
    """Return the contract of a record in a manifest; what is newer than the record has its default."""
    changed: dict[str, Any] = {"bad": BadDefinition(**record["bad"])}
    if "repayment" in record:
        repayment = record["repayment"]
        changed["repayment"] = Repayment(Period(repayment["period"]), repayment["every"])
    return LoanContract(**{**record, **changed})


def check(contract: LoanContract) -> None:
    """Refuse a contract whose settings are out of range or contradict each other.

    Raises:
        ConfigurationError: no day past due; no window, or one in months and in days; a default that no window can hold;
            a negative feature lag; terms that are not in order or not multiples of the interval between instalments;
            charges that are not in order; an as-of date that is no ISO date.
    """
    _check_window(contract.bad)
    for name, value, least in (
        ("feature_lag_days", contract.feature_lag_days, 0),
        ("repayment.every", contract.repayment.every, 1),
    ):
        if value is not None and value < least:
            raise ConfigurationError(f"loan.{name} must be at least {least}, received {value}; raise it")
    if (rule := broken_terms(contract.terms, contract.repayment)) is not None:
        raise ConfigurationError(f"loan.terms must {rule}, received {contract.terms}; correct them or loan.repayment")
    if not -1 < contract.lowest_charges <= contract.highest_charges < np.inf:
        raise ConfigurationError(
            f"loan.lowest_charges and loan.highest_charges are {contract.lowest_charges:g} and "
            f"{contract.highest_charges:g}; set shares of the principal in rising order, such as 0 and 1"
        )
    try:
        _ = contract.known_until
    except ValueError:
        received = f"received '{contract.as_of}'"
        raise ConfigurationError(f"loan.as_of must be an ISO date, {received}; write it as 2026-06-30") from None


def _check_window(bad: BadDefinition) -> None:
    windows = {"window_months": bad.window_months, "window_days": bad.window_days}
    lengths = {name: value for name, value in windows.items() if value is not None}
    if len(lengths) != 1:
        received = " and ".join(f"{name}={value}" for name, value in lengths.items()) or "no window"
        raise ConfigurationError(
            f"loan.bad has {received}; set one of window_months and window_days, and the other to null"
        )
    for name, value in (("days_past_due", bad.days_past_due), *lengths.items()):
        if value < 1:
            raise ConfigurationError(f"loan.bad.{name} must be at least 1, received {value}; raise it")
    if bad.days_past_due > bad.longest_window_days:
        ((name, _),) = lengths.items()
        length = bad.window.removesuffix(" on book")
        raise ConfigurationError(
            f"a loan must be able to turn bad in its window, received {bad.days_past_due} days in {length}; raise "
            f"loan.bad.{name}"
        )


def add_months(times: Times, months: int | Wholes) -> Times:
    """Return the same day and time of day so many calendar months later, or the last day of a shorter month.

    >>> add_months(np.array(["2024-01-31T12:30"], dtype="datetime64[us]"), 1).astype("datetime64[m]").tolist()
    [datetime.datetime(2024, 2, 29, 12, 30)]
    """
    date, month = times.astype("datetime64[D]"), times.astype("datetime64[M]")
    target = month + np.asarray(months).astype("timedelta64[M]")
    first, next_first = target.astype("datetime64[D]"), (target + 1).astype("datetime64[D]")
    landed = np.minimum(first + (date - month.astype("datetime64[D]")), next_first - DAY)
    return np.asarray(landed.astype("datetime64[us]") + (times - date))


def window_end(disbursed_at: Times, bad: BadDefinition) -> Times:
    """Return the last moment of the performance window."""
    if bad.window_days is not None:
        return np.asarray(disbursed_at + bad.window_days * DAY)
    assert bad.window_months is not None
    return add_months(disbursed_at, bad.window_months)


def months_on_book(disbursed_at: Times, at: Times) -> Wholes:
    """Return the whole calendar months since disbursement, negative where there was none by then.

    >>> days = np.array(["2024-01-31", "2024-02-28", "2024-02-29"], dtype="datetime64[us]")
    >>> months_on_book(days[[0, 0]], days[1:]).tolist()
    [0, 1]
    """
    months = (at.astype("datetime64[M]") - disbursed_at.astype("datetime64[M]")).astype(np.int64)
    held = np.where(np.isnat(disbursed_at), 0, months)
    return np.asarray(np.where(disbursed_at <= at, held - (add_months(disbursed_at, held) > at), -1))


def turned_bad_at(loans: Loans, instalments: Instalments, bad: BadDefinition) -> Times:
    """Return when each loan first met the bad definition, its window aside; NaT where it never did.

    An instalment reaches d days past due d days after it was due, unless it is settled by that very moment.
    """
    reaches = instalments.due_at + bad.days_past_due * DAY
    counts = instalments.unpaid(reaches)
    if bad.first_instalment_only:
        counts &= instalments.number == 1
    moments = _earliest(len(loans), instalments.loan[counts], reaches[counts])
    return moments if bad.first_instalment_only or not bad.write_off else np.fmin(moments, loans.written_off_at)


def known_bad_at(loans: Loans, instalments: Instalments, contract: LoanContract) -> Times:
    """Return when each loan met the contract's definition of bad, its window aside; NaT where it never did.

    A loan that the lender flagged is known to be bad when its window closes.
    """
    if contract.bad_flag is None:
        return turned_bad_at(loans, instalments, contract.bad)
    is_bad = np.zeros(len(loans), np.bool_) if loans.bad_flag is None else loans.bad_flag == BAD
    return np.where(is_bad, window_end(loans.disbursed_at, contract.bad), np.datetime64("NaT", "us"))


def statuses(loans: Loans, instalments: Instalments, contract: LoanContract) -> Codes:
    """Return the `Status` of each application at the as-of date."""
    as_of = contract.known_until
    due = _earliest(len(loans), instalments.loan, instalments.due_at)
    early_refund = (loans.refunded_at <= as_of) & ((loans.refunded_at < due) | np.isnat(due))
    reasons = {
        Status.declined: ~loans.approved,
        Status.not_taken_up: ~(loans.disbursed_at <= as_of),
        Status.fraud: loans.fraud_confirmed_at <= as_of,
        Status.refunded: early_refund,
        Status.immature: window_end(loans.disbursed_at, contract.bad) > as_of,
    }
    return np.select(list(reasons.values()), [np.int8(status) for status in reasons], np.int8(Status.mature))


def labels(loans: Loans, instalments: Instalments, contract: LoanContract) -> Codes:
    """Return `BAD` or `GOOD` for each mature application, `UNLABELLED` for all others.

    Raises:
        DataError: a mature application without the lender's flag, where the contract names one.
    """
    turned = known_bad_at(loans, instalments, contract) <= window_end(loans.disbursed_at, contract.bad)
    is_mature = statuses(loans, instalments, contract) == Status.mature
    if contract.bad_flag is not None:
        missing = is_mature if loans.bad_flag is None else is_mature & (loans.bad_flag == UNLABELLED)
        if missing.any():
            raise DataError(
                f"loan.bad_flag '{contract.bad_flag}' is empty for {missing.sum():,} of {is_mature.sum():,} mature "
                "applications; fill in 0 or 1, or map the empty values in raw.tables.applications.columns.bad_flag"
            )
    return np.where(is_mature, np.where(turned, np.int8(BAD), np.int8(GOOD)), np.int8(UNLABELLED))


def status_counts(codes: Codes) -> dict[str, int]:
    """Return how many applications have each status, those that none has left out.

    >>> status_counts(np.array([5, 0, 5], dtype=np.int8))
    {'declined': 1, 'mature': 2}
    """
    values, counts = np.unique(codes, return_counts=True)
    return {Status(value).name: int(count) for value, count in zip(values, counts, strict=True)}


def require_mature(codes: Codes) -> None:
    """Refuse applications whose outcome is not known, wherever labels are consumed.

    Raises:
        DataError: an application that is not mature.
    """
    others = {name: count for name, count in status_counts(codes).items() if name != Status.mature.name}
    if others:
        received = ", ".join(f"{count:,} {name}" for name, count in others.items())
        raise DataError(
            f"only mature applications have a label, received {received} of {len(codes):,}; leave those without one out"
        )


def _earliest(loans: int, loan: Wholes, moments: Times) -> Times:
    """Return the earliest of each loan's moments, NaT where it has none."""
    earliest = np.full(loans, NEVER)
    np.minimum.at(earliest, loan, moments.astype("datetime64[us]").view(np.int64))
    return np.where(earliest == NEVER, np.datetime64("NaT", "us"), earliest.view("datetime64[us]"))
