"""The manifest that `thinfile prepare population=book` writes into a book's folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.credit.loan import recorded_contract
from pipelines.errors import DataError
from pipelines.features.settings import FeatureSettings, recorded_features
from pipelines.marketplace.loan_rules import LoanRules
from pipelines.secrets.environment_text import resolved

MANIFEST = "_book.json"
"""Readers of Parquet folders skip names that begin with an underscore."""


@dataclass(frozen=True)
class BookManifest:
    """A prepared book of `customers` rows, observed at `observed_at` (UTC without a zone).

    `numeric` and `categorical` name its features in the order of the training table.
    """

    identity: str
    observed_at: datetime
    feature_lag_days: int
    features: FeatureSettings
    numeric: list[str]
    categorical: list[str]
    customers: int
    rules: LoanRules

    @property
    def known_before(self) -> datetime:
        """The end of the history that the features use."""
        return self.observed_at - timedelta(days=self.feature_lag_days)


def book_record(folder: Path) -> Mapping[str, Any]:
    """Return the manifest of the book in a folder as written; empty where no book was finished there."""
    path = folder / MANIFEST
    record: Mapping[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return record


def read_manifest(folder: Path) -> BookManifest:
    """Return the manifest of the book in a folder.

    Raises:
        DataError: the folder has no finished book.
    """
    record = book_record(folder)
    if not record:
        raise DataError(
            f"'{folder}' is not a prepared book; run `thinfile prepare population=book "
            "observed_at=...` and name the folder that it prints"
        )
    features = record["configuration"]["features"]
    return BookManifest(
        identity=record["identity"],
        observed_at=datetime.fromisoformat(record["observed_at"]),
        feature_lag_days=record["feature_lag_days"],
        features=recorded_features(features),
        numeric=record["numeric"],
        categorical=record["categorical"],
        customers=record["customers"],
        rules=LoanRules.of(recorded_contract(resolved(record["configuration"]["loan"]))),
    )
