"""What `thinfile prepare population=book` writes about a book, found in its folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.errors import DataError
from pipelines.features.settings import FeatureSettings, What

MANIFEST = "_book.json"
"""Readers of Parquet folders pass over names that begin so."""


@dataclass(frozen=True)
class BookManifest:
    """What is known of a prepared book: `customers` rows, observed at `observed_at` (UTC without a zone).

    `numeric` and `categorical` name its features in the order of the training table.
    """

    identity: str
    observed_at: datetime
    feature_lag_days: int
    features: FeatureSettings
    numeric: list[str]
    categorical: list[str]
    customers: int

    @property
    def known_before(self) -> datetime:
        """The end of the history that the features tell of."""
        return self.observed_at - timedelta(days=self.feature_lag_days)


def book_record(folder: Path) -> Mapping[str, Any]:
    """Return all that was written about the book in a folder; nothing where none was finished there."""
    path = folder / MANIFEST
    told: Mapping[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return told


def read_manifest(folder: Path) -> BookManifest:
    """Return what is known of the book in a folder.

    Raises:
        DataError: no finished book lies there.
    """
    told = book_record(folder)
    if not told:
        raise DataError(
            f"'{folder}' is not a prepared book; run `thinfile prepare population=book "
            "observed_at=...` and name the folder that it prints"
        )
    features = told["configuration"]["features"]
    return BookManifest(
        identity=told["identity"],
        observed_at=datetime.fromisoformat(told["observed_at"]),
        feature_lag_days=told["feature_lag_days"],
        features=FeatureSettings(**features | {"what": [What(one) for one in features["what"]]}),
        numeric=told["numeric"],
        categorical=told["categorical"],
        customers=told["customers"],
    )
