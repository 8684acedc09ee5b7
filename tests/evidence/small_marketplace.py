"""A small simulated marketplace, prepared: what tests of promotions learn from and judge on."""

from pathlib import Path

from pipelines.applications.settings import DataSettings
from pipelines.book.prepare import prepare
from pipelines.credit.loan import DEFINITIONS, LoanContract
from pipelines.features.settings import FeatureSettings, What
from pipelines.marketplace.settings import PrepareSettings, RawSettings
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate
from tests.experiments.marketplaces import data_of

FEATURES = FeatureSettings(
    what=[What.frequency, What.amount, What.returns, What.discounts, What.payment_methods, What.application],
    windows=[30, 180],
    payment_methods=["card", "wallet", "bank_transfer", "cash_on_delivery"],
)


def small_marketplace(folder: Path, *, seed: int, customers: int, months: int = 30) -> DataSettings:
    """Simulate a marketplace into a workspace, prepare it (30 days past due by month 3), return its table."""
    at = str(folder)
    simulate(SimulateSettings(workspace=at, seed=seed, customers=customers, months=months, threads=1))
    year, month = 2022 + months // 12, 1 + months % 12
    loan = LoanContract(DEFINITIONS["dpd30_at_3_mob"], as_of=f"{year}-{month:02d}-01")
    raw = RawSettings(folder=str(folder / "lake" / "simulated"), time_zone="UTC")
    prepare(PrepareSettings(workspace=at, raw=raw, loan=loan, features=FEATURES, threads=1))
    return data_of(folder)
