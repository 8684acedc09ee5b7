"""Repayment schedules made by hand and by lot, for the tests of the loan contract."""

from dataclasses import dataclass, replace

import numpy as np

from pipelines.credit.loan import Instalments, Loans

NAT = np.datetime64("NaT", "us")
DELAYS = [-40, 0, 29, 30, 31, 60, 89, 90, 91, 200]
"""Days after the due date, on and beside the limits of the bad definitions."""


def moment(text: str | None) -> np.datetime64:
    """Return a moment, NaT for none."""
    return NAT if text is None else np.datetime64(text, "us")


@dataclass(frozen=True)
class Payment:
    """One instalment; by default 100 were due and 100 were paid, unless nothing says when."""

    due_at: str
    paid_at: str | None = None
    paid_amount: int | None = None

    @property
    def paid(self) -> int:
        return self.paid_amount if self.paid_amount is not None else 100 if self.paid_at else 0


@dataclass(frozen=True)
class Schedule:
    """One application and its instalments, in order."""

    payments: tuple[Payment, ...] = ()
    disbursed_at: str | None = "2023-01-10T09:00"
    approved: bool = True
    refunded_at: str | None = None
    fraud_confirmed_at: str | None = None
    written_off_at: str | None = None


def columns(*schedules: Schedule) -> tuple[Loans, Instalments]:
    """Return schedules as columns."""
    times = [
        np.array([moment(getattr(one, name)) for one in schedules])
        for name in ("disbursed_at", "refunded_at", "fraud_confirmed_at", "written_off_at")
    ]
    lines = [
        (place, number, moment(one.due_at), 100, moment(one.paid_at), one.paid)
        for place, schedule in enumerate(schedules)
        for number, one in enumerate(schedule.payments, start=1)
    ]
    kinds = ("i8", "i8", "M8[us]", "i8", "M8[us]", "i8")
    values = zip(*lines, strict=True) if lines else ((),) * 6
    instalments = [np.array(column, dtype=kind) for column, kind in zip(values, kinds, strict=True)]
    return Loans(np.array([one.approved for one in schedules]), *times), Instalments(*instalments)


def random_loans(seed: int, count: int) -> tuple[Loans, Instalments]:
    """Return loans of 2022 and 2023 that meet every fate, many of them on the very edge of a rule."""
    generator = np.random.default_rng(seed)
    disbursed_at = np.datetime64("2022-01-01T06:00", "us") + generator.integers(0, 700, count) * np.timedelta64(1, "D")
    days = [generator.integers(low, high, count) for low, high in ((0, 60), (0, 400), (0, 500))]
    fates = [_sometimes(generator, disbursed_at + day * np.timedelta64(1, "D"), 0.1) for day in days]
    loans = Loans(generator.random(count) < 0.9, _sometimes(generator, disbursed_at, 0.95), *fates)
    return loans, _random_instalments(generator, disbursed_at)


def _random_instalments(generator: np.random.Generator, disbursed_at: np.ndarray) -> Instalments:
    terms = generator.choice([0, 3, 6, 12], len(disbursed_at), p=[0.02, 0.38, 0.3, 0.3])
    loan = np.repeat(np.arange(len(disbursed_at)), terms)
    number = np.arange(len(loan)) - np.repeat(terms.cumsum() - terms, terms) + 1
    due_at = disbursed_at[loan] + 30 * number * np.timedelta64(1, "D")
    delay = generator.choice(
        [-40, 0, 29, 30, 31, 60, 89, 90, 91, 200], len(loan), p=[0.3, 0.43, *[0.03] * 5, *[0.04] * 3]
    )
    edge = generator.integers(-1, 2, len(loan)) * np.timedelta64(1, "us")
    paid_at = _sometimes(generator, due_at + delay * np.timedelta64(1, "D") + edge, 0.95)
    due_amount = generator.integers(1, 500, len(loan))
    paid_amount = np.where(
        np.isnat(paid_at), 0, due_amount + generator.choice([-1, 0, 1], len(loan), p=[0.04, 0.9, 0.06])
    )
    return Instalments(loan, number, due_at, due_amount, paid_at, paid_amount)


def _sometimes(generator: np.random.Generator, times: np.ndarray, share: float) -> np.ndarray:
    return np.where(generator.random(len(times)) < share, times, NAT)


def shuffled(instalments: Instalments, seed: int) -> Instalments:
    """Return the same instalments in another order."""
    order = np.random.default_rng(seed).permutation(len(instalments.loan))
    return replace(instalments, **{name: column[order] for name, column in vars(instalments).items()})
