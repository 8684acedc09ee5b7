"""The files of the two shops that docs/own_marketplace.md prepares, made up."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

START = datetime(2023, 7, 1)
BUYERS, LOANS = 120, 240


def write_lender(folder: Path, seed: int = 0) -> None:
    """Write a pay-later lender: days first, statuses 0 and 1, no term, paybacks in two rows."""
    folder.mkdir()
    generator = np.random.default_rng(seed)
    buyers = [f"{number:05d}" for number in range(BUYERS)]
    registered = [f"{START + timedelta(days=number % 60):%Y-%m-%d}" for number in range(BUYERS)]
    pd.DataFrame({"customer_id": buyers, "registered_at": registered}).to_csv(folder / "customers.csv", index=False)
    days = generator.integers(60, 549, 1_500)
    purchases = {
        "id": np.arange(len(days)),
        "buyer": generator.choice(buyers, len(days)),
        "bought_on": [f"{START + timedelta(days=int(day), hours=10):%d/%m/%y %H:%M}" for day in days],
        "amount": [f"{amount:.2f}" for amount in generator.lognormal(3, 1, len(days))],
    }
    table = pd.DataFrame(purchases)
    pd.concat([table, table.head(20)]).to_csv(folder / "purchases.csv", index=False)  # a day was delivered twice
    asked = [START + timedelta(days=int(day), hours=9) for day in generator.integers(200, 450, LOANS)]
    approved = generator.random(LOANS) < 0.9
    loans = {
        "loan": [f"L{number}" for number in range(LOANS)],
        "buyer": generator.choice(buyers, LOANS),
        "asked_on": [f"{moment:%d/%m/%y %H:%M}" for moment in asked],
        "paid_out_on": [f"{one:%d/%m/%y %H:%M}" if yes else "" for one, yes in zip(asked, approved, strict=True)],
        "status": approved.astype(int),
        "principal": "30.00",
    }
    pd.DataFrame(loans).to_csv(folder / "loans.csv", index=False)
    dues, paybacks = [], []
    for name, moment in zip(np.array(loans["loan"])[approved], np.array(asked)[approved], strict=True):
        pays = generator.random() < 0.8
        for number in (1, 2, 3):
            day = f"{moment + timedelta(days=30 * number):%d/%m/%y}"
            dues.append((name, number, day, "10.00"))
            paybacks += [(name, number, day, part) for part in ("4.00", "6.00")] if pays else []
    pd.DataFrame(dues, columns=["loan", "instalment", "due_on", "amount"]).to_csv(folder / "dues.csv", index=False)
    columns = ["loan", "instalment", "paid_on", "amount"]
    pd.DataFrame(paybacks, columns=columns).to_csv(folder / "paybacks.csv", index=False)


def write_shop(folder: Path, seed: int = 0) -> None:
    """Write a shop's order lines, with returns as negative quantities, and a bank's applications of its customers."""
    folder.mkdir()
    generator = np.random.default_rng(seed)
    orders = 800
    moments = [START + timedelta(days=int(day), hours=12) for day in generator.integers(0, 549, orders)]
    customers = generator.integers(10_000, 10_100, orders)
    order = np.repeat(np.arange(orders), generator.integers(1, 5, orders))
    lines = {
        "invoice": [f"I{number:05d}" for number in order],
        "customer": customers[order],
        "invoiced": [f"{moments[number]:%Y-%m-%d %H:%M}" for number in order],
        "quantity": generator.choice([-1, 1, 2, 6], len(order), p=[0.05, 0.5, 0.3, 0.15]),
        "unit_price": [f"{price:.2f}" for price in generator.lognormal(1, 0.7, len(order))],
    }
    table = pd.DataFrame(lines)
    table.to_csv(folder / "lines.csv", index=False)
    clients, days = generator.choice(customers, 1_200), np.sort(generator.integers(200, 545, 1_200))
    salary = generator.lognormal(8, 0.4, len(clients)).round()
    risk = 1 / (1 + np.exp(4 * (np.log(salary) - 7.5)))
    asked = {
        "application": [f"A{number}" for number in range(len(clients))],
        "client": clients,
        "asked_on": [f"{START + timedelta(days=int(day), hours=8):%d.%m.%Y %H:%M}" for day in days],
        "salary": salary,
        "defaulted": (generator.random(len(clients)) < risk).astype(int),
    }
    pd.DataFrame(asked).to_csv(folder / "asked.csv", index=False)
