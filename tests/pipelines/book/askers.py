"""A small simulated marketplace where many customers apply at one moment: the book of that moment must say the same."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds
import pyarrow.parquet as pq

from pipelines.credit.loan import DEFINITIONS, LoanContract
from pipelines.features.settings import FeatureSettings
from pipelines.marketplace.loan_rules import LoanRules
from pipelines.marketplace.settings import PrepareSettings, RawSettings, ReferenceLoan
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate

AT = datetime(2024, 9, 30, 22, 30, 0, 250_000)
"""Half past midnight, on a quarter of a second, by the clocks of the shoppers."""

REFERENCE = ReferenceLoan()
FIRST_ASKER = 10**15
"""The id of the first application that is added: above those that a simulation gives."""

DECLARED = FeatureSettings(
    categories=["groceries", "fashion"], channels=["app"], payment_methods=["card"], time_zone="Europe/Berlin"
)


def marketplace_with_askers(workspace: Path, customers: int, seed: int = 0) -> pa.Table:
    """Simulate a marketplace below a workspace, and return the applications that were added to it, all made at AT."""
    simulate(SimulateSettings(workspace=str(workspace), customers=customers, threads=1, seed=seed))
    raw = workspace / "lake" / "simulated"
    everyone = pds.dataset(raw / "customers").to_table(["customer_id", "registered_at"])
    theirs = everyone.filter(pc.less(everyone["registered_at"], pa.scalar(AT, pa.timestamp("us"))))["customer_id"]
    applications = pds.dataset(raw / "applications").to_table()
    added = _asking(theirs.to_numpy(), applications.schema, seed)
    shutil.rmtree(raw / "applications")
    (raw / "applications").mkdir()
    pq.write_table(pa.concat_tables([applications, added]), raw / "applications" / "all.parquet")
    return added


def _asking(customers: Any, schema: pa.Schema, seed: int) -> pa.Table:
    """Return a declined application of every second customer: a third for the reference loan, others of all sorts."""
    generator, ids = np.random.default_rng(seed), customers[::2]
    usual, of_all_sorts = np.arange(len(ids)) % 3 == 0, np.array(["toys", "travel", None])
    told = {
        "application_id": np.arange(len(ids)) + FIRST_ASKER,
        "customer_id": ids,
        "applied_at": pa.repeat(pa.scalar(AT, pa.timestamp("us")), len(ids)),
        "principal": np.where(usual, REFERENCE.amount, generator.integers(1, 10**6, len(ids))),
        "term": np.where(usual, REFERENCE.term, generator.choice(LoanRules().terms, len(ids))),
        "basket_category": of_all_sorts[np.where(usual, 2, generator.integers(3, size=len(ids)))],
        "decision": pa.repeat("declined", len(ids)),
    }
    columns = [pa.array(told[one.name]).cast(one.type) if one.name in told else pa.nulls(len(ids), one.type)
               for one in schema]  # fmt: skip
    return pa.table(columns, schema=schema)


def asked(workspace: Path, lag_days: int = 0, **changes: Any) -> PrepareSettings:
    """Return the settings of prepare for that marketplace."""
    raw = RawSettings(folder=str(workspace / "lake" / "simulated"), time_zone="UTC")
    loan = LoanContract(DEFINITIONS["dpd30_at_3_mob"], "2025-01-01", lag_days)
    usual: dict[str, Any] = {"workspace": str(workspace), "raw": raw, "loan": loan, "features": DECLARED, "threads": 1}
    return PrepareSettings(**usual | changes)


def features_of_askers(workspace: Path, names: list[str]) -> dict[int, dict[str, Any]]:
    """Return the features that prepare computed for the applications that were added, by customer."""
    added = pc.field("application_id") >= FIRST_ASKER
    table = pds.dataset(workspace / "lake" / "marketplace" / "applications").to_table(
        ["customer_id", *names], filter=added
    )
    return {row.pop("customer_id"): row for row in table.to_pylist()}
