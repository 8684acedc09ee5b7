"""A small simulated marketplace, prepared, and training tables beside it that were tampered with."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from pipelines.applications.settings import DataSettings, Source
from pipelines.book.prepare import prepare
from pipelines.credit.loan import DEFINITIONS, LoanContract
from pipelines.features.kernel import feature_columns
from pipelines.features.settings import FeatureSettings, What
from pipelines.marketplace.settings import PrepareSettings, RawSettings
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate

AS_OF = "2026-01-01"
DECLARED = FeatureSettings(
    what=[What.frequency, What.amount, What.recency, What.tenure, What.returns, What.instalments, What.application],
    windows=[90, 180],
)
LAKE = Path("lake") / "marketplace"


def prepared(workspace: Path, customers: int, features: FeatureSettings = DECLARED, lag_days: int = 0) -> Path:
    """Simulate and prepare a marketplace, and return the workspace."""
    simulate(SimulateSettings(workspace=str(workspace), customers=customers, threads=1))
    raw = RawSettings(folder=str(workspace / "lake" / "simulated"), time_zone="UTC")
    loan = LoanContract(DEFINITIONS["dpd30_at_3_mob"], AS_OF, lag_days)
    prepare(PrepareSettings(workspace=str(workspace), raw=raw, loan=loan, features=features, threads=1))
    return workspace


def data_of(workspace: Path, path: Path | None = None) -> DataSettings:
    """Return the roles of conf/data/marketplace.yaml, but for the amount, which not every model here knows."""
    return DataSettings(
        source=Source.marketplace,
        path=str(path or workspace / LAKE / "training"),
        id="application_id",
        time="applied_at",
        label="bad",
        status="status",
        outcome_known_at="outcome_known_at",
        protected=["sex", "age_band"],
        decision="decision",
        random_approval="is_random_approval",
        ignored=["customer_id"],
    )


def names_of(features: FeatureSettings = DECLARED) -> list[str]:
    """Return the features of a prepared table."""
    return [name for names in feature_columns(features) for name in names]


def leaking(workspace: Path, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    """Write a changed training table beside the one that was prepared, and return its path."""
    path = workspace / LAKE / f"{name}.parquet"
    change(pq.read_table(workspace / LAKE / "training").to_pandas()).to_parquet(path, index=False)
    return path
