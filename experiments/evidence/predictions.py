"""The predictions that a verdict rests on, kept beside the evidence so that its figures can be computed again."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.evidence.evaluation import MEASURES, evaluate
from experiments.evidence.evidence_files import attached_file
from pipelines.credit.discrimination import delong_difference
from pipelines.credit.tally import tally
from pipelines.model_store.files import PROMOTION
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.storage.atomic_files import scratch_folder

Floats = NDArray[np.float64]

TOLERANCE = 1e-9
"""Figures computed again on another kind of processor may differ in their last digits."""


@dataclass(frozen=True)
class Predictions:
    """Outcomes (1 is bad) and PDs of the applications of a test part, each of shape (n,).

    `champion` is None where the challenger was compared with none.
    """

    bad: NDArray[np.int8]
    challenger: Floats
    champion: Floats | None

    @property
    def table(self) -> Floats:
        """Outcome, the challenger's PD and the champion's by row, shape (n, 2) or (n, 3)."""
        against = [] if self.champion is None else [self.champion]
        return np.column_stack([self.bad.astype(np.float64), self.challenger, *against]).astype("<f8")

    @classmethod
    def of(cls, table: Floats) -> "Predictions":
        """Return the predictions in a table."""
        return cls(table[:, 0].astype(np.int8), table[:, 1], table[:, 2] if table.shape[1] > 2 else None)

    def record(self) -> dict[str, Any]:
        """Return what the evidence holds of them: how many there are, and the SHA-256 of the numbers row by row."""
        return {"rows": len(self.bad), "sha256": hashlib.sha256(self.table.tobytes()).hexdigest()}


def attach_predictions(store: ModelStore, model: RegisteredModel, predictions: Predictions) -> None:
    """Attach predictions to a model, as a file named by their hash, unless they are there."""
    if isinstance(_stored(store, model, predictions.record()), Predictions):  # writing could be killed half-way
        return
    with scratch_folder(store.workspace.root) as folder:
        path = folder / _path(predictions.record()["sha256"])
        path.parent.mkdir()
        np.save(path, predictions.table)
        store.attach(model, folder)


def prediction_findings(
    store: ModelStore, model: RegisteredModel, evidence: Mapping[str, Any], *, intervals: bool
) -> Iterator[str]:
    """Yield what the stored predictions contradict in the evidence; with `intervals` those of its measures too."""
    recorded = evidence.get("predictions")
    if recorded is None:  # evidence of an earlier version
        return
    predictions = _stored(store, model, recorded)
    if isinstance(predictions, str):
        yield predictions
        return
    yield from (
        f"its figure {name} is not that of its predictions" for name in _differ(predictions, evidence, intervals)
    )


def _stored(store: ModelStore, model: RegisteredModel, recorded: Mapping[str, Any]) -> Predictions | str:
    """Return the predictions that are attached to a model, or what is wrong with them."""
    name = _path(recorded["sha256"])
    path = attached_file(store, model, str(name))
    if path is None:
        return f"its predictions {name} are missing"
    try:
        predictions = Predictions.of(np.load(path))
    except (OSError, ValueError, IndexError, EOFError) as error:
        return f"its predictions {name} cannot be read ({error})"
    return predictions if predictions.record() == recorded else f"its predictions {name} were changed"


def _differ(predictions: Predictions, evidence: Mapping[str, Any], intervals: bool) -> Iterator[str]:
    bad, seed = predictions.bad, int(evidence["about"]["seed"])
    measures = evidence["measures"]["measures"]
    if intervals:
        now = evaluate(bad, predictions.challenger, seed=seed).record()["measures"]
    else:
        counts = tally(bad, predictions.challenger)
        now = {name: {"value": measure(counts)} for name, measure in MEASURES.items()}
    for name, figures in now.items():
        then = measures.get(name, {})
        yield from (f"{name}.{end}" for end, figure in figures.items() if not _same(figure, then.get(end)))
    against = evidence.get("difference")
    if (against is None) != (predictions.champion is None):
        yield "difference"
    if against is not None and predictions.champion is not None:
        found = delong_difference(bad, predictions.challenger, predictions.champion, confidence=0.95)
        p = found.p_better(against["margin"])
        figures = {"auc": found.difference, "low": found.low, "high": found.high, "p": p}
        yield from (f"difference.{name}" for name, value in figures.items() if not _same(value, against[name]))


def _same(now: float, recorded: Any) -> bool:
    if not isinstance(recorded, int | float):
        return recorded is None and np.isnan(now)
    return isclose(now, recorded, rel_tol=TOLERANCE, abs_tol=TOLERANCE) or (np.isnan(now) and np.isnan(recorded))


def _path(digest: str) -> Path:
    return Path(PROMOTION) / f"{digest}.npy"
