"""What a model document is written from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]
"""A part of a record as it lies in JSON."""


@dataclass(frozen=True)
class FeatureFact:
    """One feature of the model: what it means, which reasons it belongs to, where risk goes as it rises.

    `missing` is the share without a value among those the reference profile was taken from, None where nobody counted.
    """

    name: str
    kind: str
    meaning: str = ""
    group: str = ""
    direction: str = ""
    missing: float | None = None


@dataclass(frozen=True)
class SearchFacts:
    """How the parameters were found: the best cross-validated AUC after each trial, and the best trials themselves.

    `trials` are records of number, cross-validated AUC and parameters, the best first; `chosen` is the number of the
    one that became this version.
    """

    study: str
    chosen: int | None
    cv_auc: float | None
    best_so_far: tuple[float, ...] = ()
    trials: tuple[Record, ...] = ()


@dataclass(frozen=True)
class DocumentFacts:
    """Everything a document says, gathered; None or empty where it is not known.

    `settings`, `data` and `provenance` are the run's config.json, data.json and provenance.json; `prepared` the
    manifest of the marketplace that the data was prepared from. `measured` is the evaluation made at registration,
    `evidence` the record that a promotion was judged on. `entries` are the ledger's about the whole model, oldest
    first, each with sequence, written_at, decision, version, by, why and authenticated.
    """

    model: str
    version: int
    family: str
    registered_at: str
    run_id: str | None = None
    model_hash: str | None = None
    purpose: str = ""
    settings: Record | None = None
    data: Record | None = None
    prepared: Record | None = None
    provenance: Record | None = None
    features: tuple[FeatureFact, ...] = ()
    search: SearchFacts | None = None
    measured: Record | None = None
    evidence: Record | None = None
    entries: tuple[Record, ...] = ()
