"""Loans of a marketplace whose outcomes the model has not learnt from: what its estimates are recalibrated on."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from monitoring.outcomes.reweighting import EarlierLoans
from pipelines.applications.contract import as_text
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import TEST_FROM
from pipelines.storage.workspace import Workspace

OUTCOME = ("application_id", "applied_at", "bad", "outcome_known_at")
MOST_LOANS = 100_000
FEWEST = 200
"""Fewer loans say nothing of a calibration."""


def earlier_loans(
    workspace: Workspace, store: ModelStore, model: RegisteredModel, marketplace: str | None, known_at: str
) -> EarlierLoans | None:
    """Return the loans of a prepared marketplace that the model was tested on, or that came later, as known at a date.

    Of many a sample. None where the model or the training table does not tell them.
    """
    began = model.tags.get(TEST_FROM)
    table = workspace.lake / marketplace / "training" if marketplace else None
    if began is None or table is None or not table.exists():
        return None
    predictor = load_predictor(store, model)
    names = [*predictor.numeric, *predictor.categorical]
    there = pq.ParquetDataset(table).schema.names
    if not {*OUTCOME, *names} <= set(there):
        return None
    rows = pq.read_table(
        table,
        columns=[*OUTCOME, *names],
        filters=[("applied_at", ">=", pd.Timestamp(began)), ("outcome_known_at", "<", pd.Timestamp(known_at))],
    ).to_pandas()
    rows = rows[rows["bad"].notna()]
    if len(rows) < FEWEST:
        return None
    some = rows.sample(MOST_LOANS, random_state=0) if len(rows) > MOST_LOANS else rows
    features = some[names].assign(**{name: as_text(some[name]) for name in predictor.categorical})
    bad = some["bad"].to_numpy().astype(np.int8)
    ids = some["application_id"].astype(str).to_numpy(dtype=str)
    period = some["applied_at"].to_numpy().astype("datetime64[M]").astype(str)
    return EarlierLoans(bad, predictor.probability_of_bad(features), features, ids, period)
