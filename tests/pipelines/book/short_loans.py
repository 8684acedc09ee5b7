"""The simulated marketplace as a lender of short loans would have it: one payment in 30 days, or four in 8 weeks."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate

DAY = pd.Timedelta(days=1)


def lay_short_loans(workspace: Path, *, term: int, days: tuple[int, ...], flag: str | None = None) -> Path:
    """Write a marketplace below the workspace and return its folder.

    Instalments are due so many `days` after the disbursement; each is paid as late as the simulated instalment of its
    number (the third is the last of some loans), or never. With `flag` there is a column of the lender's own in place
    of the instalments.
    """
    simulate(SimulateSettings(workspace=str(workspace), customers=3_000, months=24, threads=1))
    simulated, folder = workspace / "lake" / "simulated", workspace / "own"
    folder.mkdir()
    tables = {
        name: pd.read_parquet(simulated / name) for name in ("customers", "orders", "applications", "instalments")
    }
    applications = tables["applications"]
    applications["term"] = np.int32(term)
    loans = applications.set_index("application_id")[["disbursed_at", "principal"]]
    parts = pd.DataFrame({"application_id": loans.index[loans["disbursed_at"].notna()]})
    parts = parts.merge(pd.DataFrame({"part": range(1, len(days) + 1)}), how="cross")
    parts["number"] = parts["part"].clip(upper=3).astype(np.int32)
    first = parts.merge(tables["instalments"], on=["application_id", "number"]).join(loans, on="application_id")
    first["number"] = first["part"].astype(np.int32)
    late = first["paid_at"] - first["due_at"]
    first["due_at"] = first["disbursed_at"] + np.array(days)[first["number"] - 1] * DAY
    part = first["principal"] // len(days)
    is_last = first["number"] == len(days)
    amount = np.where(is_last, first["principal"] - part * (len(days) - 1), part)
    is_whole = first["paid_amount"] >= first["due_amount"]
    first["paid_at"] = (first["due_at"] + late).clip(lower=first["disbursed_at"]).where(late.notna())
    first["due_amount"] = amount
    first["paid_amount"] = np.where(is_whole, amount, 0)
    first.loc[~is_whole, "paid_at"] = pd.NaT
    tables["instalments"] = first[["application_id", "number", "due_at", "due_amount", "paid_at", "paid_amount"]]
    if flag is not None:
        never_paid = set(first.loc[~is_whole, "application_id"])
        applications[flag] = applications["application_id"].isin(never_paid).astype(int)
        del tables["instalments"]
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    return folder
