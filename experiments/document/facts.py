"""The facts behind a model document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]
"""A part of a JSON record."""


@dataclass(frozen=True)
class FeatureFact:
    """One feature of the model: meaning, reason group and expected direction.

    `missing` is the share of missing values in the reference profile, None without one.
    """

    name: str
    kind: str
    meaning: str = ""
    group: str = ""
    direction: str = ""
    missing: float | None = None


@dataclass(frozen=True)
class SearchFacts:
    """The search: the best cross-validated AUC after each trial, and the best trials.

    `trials` are records of number, cross-validated AUC and parameters, the best first; `chosen` are the numbers of the
    trials that this version was made from, and `made_from` says how, as the subject of a sentence.
    """

    study: str
    chosen: tuple[int, ...]
    cv_auc: float | None
    made_from: str = ""
    best_so_far: tuple[float, ...] = ()
    trials: tuple[Record, ...] = ()


@dataclass(frozen=True)
class DocumentFacts:
    """All facts of a document; None or empty where a fact is missing.

    `experiment` names the experiments that the version was made in. `settings`, `data` and `provenance` are the run's
    config.json, data.json and provenance.json; `prepared` the manifest of the marketplace that the data was prepared
    from. `parts` are those of a blend, each with family,
    parameters, weight and models. `measured` is the evaluation made at registration,
    `evidence` the record that a promotion was judged on. `entries` are the ledger's about the whole model, oldest
    first, each with sequence, written_at, decision, version, by, why and authenticated; judgements have their test part
    and the policy and gates of their evidence too.
    """

    model: str
    version: int
    family: str
    registered_at: str
    experiment: str | None = None
    run_id: str | None = None
    model_hash: str | None = None
    purpose: str = ""
    settings: Record | None = None
    data: Record | None = None
    prepared: Record | None = None
    provenance: Record | None = None
    features: tuple[FeatureFact, ...] = ()
    parts: tuple[Record, ...] = ()
    search: SearchFacts | None = None
    measured: Record | None = None
    evidence: Record | None = None
    entries: tuple[Record, ...] = ()
