"""A blend that the search chooses costs what `max_cost` allows, in a batch and in the service, as measured."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.search.measured_cost import measured_cost
from pipelines.candidates.portable_model import Columns, columns_of
from pipelines.candidates.registry import load_model
from pipelines.model_store.files import FILES
from pipelines.model_store.predictor import Predictor, load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace
from tests.evidence.commands import answer
from tests.evidence.conftest import Evidence
from tests.evidence.test_row_cost import table

MAX_COST = 20.0
"""The default of `max_cost`, microseconds per row on one core."""

OF_A_REQUEST = 200
"""Most decisions of one request (`limits.most_decisions`)."""


@pytest.mark.integration
def test_the_chosen_blend_costs_at_most_max_cost(evidence: Evidence, tmp_path: Path) -> None:
    rows = evidence.size(full=20_000, reduced=3_000)
    learnt = table(10, 10, rows, seed=1)
    frame = pd.DataFrame(learnt.columns).assign(bad=learnt.bad)
    frame.to_parquet(tmp_path / "table.parquet")
    summary = answer(
        "tune",
        "data=table",
        f"data.path={tmp_path / 'table.parquet'}",
        "data.label=bad",
        "candidate=auto",
        "final=blend",
        f"trials={evidence.size(full=40, reduced=8)}",
        f"workspace={tmp_path / 'workspace'}",
    )
    store = ModelStore(Workspace.at(str(tmp_path / "workspace")))
    version = store.version("credit_score", summary["version"])
    predictor, model = load_predictor(store, version, threads=1), load_model(store.download(version) / FILES, 1)
    columns = table(10, 10, 4_000, seed=2).columns
    scored = pd.DataFrame(columns)
    batch = min(measured_cost(model, columns) for _ in range(evidence.size(full=7, reduced=1)))
    request = _microseconds(predictor, scored, OF_A_REQUEST, runs=evidence.size(full=7, reduced=2))
    single = _microseconds(predictor, scored[:200], 1, runs=evidence.size(full=7, reduced=2))
    holds = max(batch, request) <= MAX_COST
    evidence.record(
        "85-blend-cost",
        claim=f"microseconds per row on one core of the blend of {len(summary['weights'])} trials that a search of 40 "
        f"chose under max_cost={MAX_COST:g}, in a batch and in requests of {OF_A_REQUEST} decisions",
        value=f"{batch:.1f} in a batch, {request:.1f} in requests, {summary['cost']:.1f} by its size; {single:.0f} for "
        "a decision alone, most of it calls of numpy",
        bound=f"at most {MAX_COST:g} in a batch and in requests",
        holds=holds,
    )
    assert holds or not evidence.full


def _microseconds(predictor: Predictor, features: pd.DataFrame, size: int, runs: int) -> float:
    """Return the least processor time per row of several runs over all rows, `size` of them at a time."""
    parts: list[Columns] = [
        columns_of(features[start : start + size], predictor.numeric, predictor.categorical)
        for start in range(0, len(features), size)
    ]
    predictor.predict(parts[0])
    seconds = []
    for _ in range(runs):
        began = time.process_time()
        for columns in parts:
            predictor.predict(columns)
        seconds.append(time.process_time() - began)
    return float(np.min(seconds)) / len(features) * 1e6
