"""A simulated pay-later lender whose files are as such lenders have them: loans of 30 days in one payment, two shops.

Nothing here knows Thinfile's contracts. The files are text with semicolons, Latin-1, day-first dates, decimal commas;
orders come as lines, paybacks in several rows a loan, rejected applications have no loan, and a region is called "NA".
Customer numbers have leading zeros. People who pay late now and then do it again, so that history predicts the outcome.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

START, FIRST_LOAN = datetime(2022, 1, 1), datetime(2023, 1, 1)
DAYS_TO_PAY = 30
DATE, TIME = "%d.%m.%Y", "%d.%m.%Y %H:%M"
SHOPS = ("nord", "sued")


@dataclass(frozen=True)
class PayLater:
    """The tables as data frames of texts, and the truth: application, whether its loan was 30 days past due."""

    customers: pd.DataFrame
    order_lines: pd.DataFrame
    applications: pd.DataFrame
    loans: pd.DataFrame
    paybacks: pd.DataFrame
    truth: pd.Series

    def write(self, folder: Path) -> None:
        """Write the files of the lender."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("customers", "order_lines", "applications", "loans", "paybacks"):
            table: pd.DataFrame = getattr(self, name)
            table.to_csv(folder / f"{name}.csv", sep=";", index=False, encoding="latin-1")


def simulate(people: int = 1_500, months: int = 32, seed: int = 0) -> PayLater:
    """Return the lender's tables over so many months from January 2022; loans begin a year later."""
    draw = np.random.default_rng(seed)
    risk = draw.normal(size=people)
    numbers = draw.permutation(people * 10)[:people]
    customers = pd.DataFrame(
        {
            "Kundennr": [f"{number:08d}" for number in numbers],
            "seit": [(START - timedelta(days=int(day))).strftime(DATE) for day in draw.integers(30, 1500, people)],
            "Gebiet": draw.choice(["NA", "Köln", "Süd", ""], people, p=[0.3, 0.3, 0.3, 0.1]),
        }
    )
    orders = list(_orders(draw, risk, months))
    lines = [line for order in orders for line in order.lines(draw, customers["Kundennr"])]
    applied = [order for order in orders if order.on_account]
    return PayLater(
        customers,
        pd.DataFrame(lines),
        pd.DataFrame([order.application(customers["Kundennr"]) for order in applied]),
        pd.DataFrame([order.loan() for order in applied if order.accepted]),
        pd.DataFrame([row for order in applied if order.accepted for row in order.paybacks()]),
        pd.Series({order.application_id: order.is_bad for order in applied if order.accepted}),
    )


@dataclass(frozen=True)
class _Order:
    number: int
    person: int
    at: datetime
    cents: int
    shop: str
    on_account: bool
    accepted: bool
    days_late: int | None

    @property
    def application_id(self) -> str:
        return f"A{self.number:07d}"

    @property
    def is_bad(self) -> bool:
        return self.days_late is None or self.days_late > 30

    @property
    def due(self) -> datetime:
        return self.at + timedelta(days=1 + DAYS_TO_PAY)

    def lines(self, draw: np.random.Generator, numbers: pd.Series) -> Iterator[dict[str, str]]:
        """Yield one or two lines that add up to the order."""
        first = self.cents if draw.random() < 0.5 else self.cents // 3
        for position, cents in enumerate([first, self.cents - first], start=1):
            if cents:
                yield {
                    "Bestellung": f"{self.number:07d}",
                    "Position": str(position),
                    "Kundennr": numbers[self.person],
                    "Datum": self.at.strftime(TIME),
                    "Betrag": _money(cents),
                    "Shop": self.shop,
                }

    def application(self, numbers: pd.Series) -> dict[str, str]:
        return {
            "Antrag": self.application_id,
            "Kundennr": numbers[self.person],
            "Bestellung": f"{self.number:07d}",
            "Zeit": (self.at + timedelta(minutes=2)).strftime(TIME),
            "Betrag": _money(self.cents),
            "Status": "1" if self.accepted else "0",
            "Shop": self.shop,
        }

    def loan(self) -> dict[str, str]:
        return {
            "Antrag": self.application_id,
            "ausgezahlt": (self.at + timedelta(days=1)).strftime(DATE),
            "faellig": self.due.strftime(DATE),
        }

    def paybacks(self) -> Iterator[dict[str, str]]:
        """Yield what was paid back: in one row or two; of a loan that was never repaid, at most a half."""
        half = self.cents // 2
        if self.days_late is None:
            parts = [(half, 5)] if self.number % 2 else []
        else:
            parts = (
                [(self.cents, self.days_late)]
                if self.number % 3
                else [(half, -10), (self.cents - half, self.days_late)]
            )
        for cents, late in parts:
            if cents:
                paid = (self.due + timedelta(days=late)).strftime(DATE)
                yield {"Antrag": self.application_id, "Datum": paid, "Betrag": _money(cents)}


def _orders(draw: np.random.Generator, risk: np.ndarray, months: int) -> Iterator[_Order]:
    """Yield the orders in time: risky people order at night and more often on account, and pay later."""
    days = int(months * 30.4)
    people = draw.permutation(np.repeat(np.arange(len(risk)), draw.poisson(np.exp(2.0 + 0.5 * risk))))
    hours = np.where(draw.random(len(people)) < 1 / (1 + np.exp(-2 * risk[people])), 23, 14) + draw.normal(
        size=len(people)
    )
    times = draw.integers(0, days, len(people)) * 24 + hours
    for number, place in enumerate(np.argsort(times, kind="stable"), start=1):
        person, at = people[place], START + timedelta(minutes=int(times[place] * 60))
        on_account = at >= FIRST_LOAN and draw.random() < 0.7
        accepted = on_account and risk[person] + 2 * draw.normal() < 2.5
        overdue = draw.logistic(-2.5 + 1.6 * risk[person])
        late = None if overdue > 2.5 else int(31 + 20 * overdue) if overdue > 0 else int(draw.integers(-9, 11))
        cents = int(np.exp(draw.normal(8.3 + 0.6 * risk[person], 0.3)))
        yield _Order(number, int(person), at, cents, str(draw.choice(SHOPS)), on_account, accepted, late)


def _money(cents: int) -> str:
    return f"{cents // 100:,}".replace(",", ".") + f",{cents % 100:02d}"
