"""Loans of a marketplace that the model was not fitted on, to recalibrate its estimates."""

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
"""Fewer loans are not enough for a calibration."""


def earlier_loans(
    workspace: Workspace, store: ModelStore, model: RegisteredModel, marketplace: str | None, known_at: str
) -> EarlierLoans | None:
    """Return the loans of a prepared marketplace from the start of the model's test period, as known at a date.

    Of many loans it is a sample. None where the model has no test period or the training table not all columns.
    """
    test_from = model.tags.get(TEST_FROM)
    table = workspace.lake / marketplace / "training" if marketplace else None
    if test_from is None or table is None or not table.exists():
        return None
    predictor = load_predictor(store, model)
    names = [*predictor.numeric, *predictor.categorical]
    if not {*OUTCOME, *names} <= set(pq.ParquetDataset(table).schema.names):
        return None
    rows = pq.read_table(
        table,
        columns=[*OUTCOME, *names],
        filters=[("applied_at", ">=", pd.Timestamp(test_from)), ("outcome_known_at", "<", pd.Timestamp(known_at))],
    ).to_pandas()
    rows = rows[rows["bad"].notna()]
    if len(rows) < FEWEST:
        return None
    rows = rows.sample(MOST_LOANS, random_state=0) if len(rows) > MOST_LOANS else rows
    features = rows[names].assign(**{name: as_text(rows[name]) for name in predictor.categorical})
    bad = rows["bad"].to_numpy().astype(np.int8)
    ids = rows["application_id"].astype(str).to_numpy(dtype=str)
    period = rows["applied_at"].to_numpy().astype("datetime64[M]").astype(str)
    return EarlierLoans(bad, predictor.probability_of_bad(features), features, ids, period)
