"""How fast a version scores: kept beside the evidence, whose hash has nothing that differs when it is made again."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.evidence.evaluation_set import ScoredVersion
from experiments.evidence.evidence_files import evidence_path
from pipelines.applications.applications import Applications
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.storage.atomic_files import scratch_folder

TIMED_ROWS, TIMED_SINGLES = 2000, 20


def measure_timing(challenger: ScoredVersion, test: Applications) -> dict[str, Any]:
    """Return rows per second in one call, and the median time of one application in milliseconds."""
    features = challenger.read(test.take(np.arange(TIMED_ROWS) % len(test))).features
    start = time.perf_counter()
    challenger.predictor.probability_of_bad(features)
    whole = time.perf_counter() - start
    singles = []
    for row in range(min(TIMED_SINGLES, len(test))):
        one = features.iloc[[row]]
        start = time.perf_counter()
        challenger.predictor.probability_of_bad(one)
        singles.append(time.perf_counter() - start)
    return {
        "rows": len(features),
        "rows_per_second": len(features) / whole,
        "one_row_ms": 1000 * float(np.median(singles)),
    }


def attach_timing(store: ModelStore, model: RegisteredModel, evidence_hash: str, timing: Mapping[str, Any]) -> None:
    """Keep a timing beside the evidence with that hash; the first one stays."""
    if read_timing(store, model, evidence_hash) is not None:
        return
    with scratch_folder(store.workspace.root) as folder:
        path = folder / timing_path(evidence_hash)
        path.parent.mkdir()
        path.write_text(json.dumps(dict(timing), indent=1))
        store.attach(model, folder)


def read_timing(store: ModelStore, model: RegisteredModel, evidence_hash: str) -> dict[str, Any] | None:
    """Return the timing beside the evidence with that hash, None without one that can be read."""
    path = store.attached(model, str(timing_path(evidence_hash)))
    try:
        timing: dict[str, Any] | None = None if path is None else json.loads(path.read_text())
    except ValueError:  # half-written by a killed process
        return None
    return timing


def timing_path(evidence_hash: str) -> Path:
    """Return the path of a timing among the files attached to a version."""
    return evidence_path(evidence_hash).with_suffix(".timing.json")
