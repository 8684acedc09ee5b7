"""The opponents get the rows of Thinfile's split and its features, as numbers alone where they need them."""

import numpy as np
import pandas as pd

from experiments.experiment.experiment import load_applications, split_applications
from pipelines.applications.settings import DataSettings, SplitSettings
from pipelines.storage.workspace import Workspace
from tests.benchmarks.opponents.rows import write_rows


def test_the_rows_of_a_split(german_settings: DataSettings, german_table: pd.DataFrame, workspace: Workspace) -> None:
    applications = load_applications(german_settings, workspace)
    split = split_applications(applications, SplitSettings(seed=3))
    workspace.root.mkdir(parents=True, exist_ok=True)
    rows = write_rows(applications, split, workspace.root)
    table, codes = pd.read_parquet(rows.table), pd.read_parquet(rows.codes)
    stored = german_table.iloc[np.concatenate([split.development, split.test])].reset_index(drop=True)
    assert set(german_table) - set(table) == {"creditability", *german_settings.protected}
    assert (table["purpose"].astype(str) == stored["purpose"]).all()
    assert table["credit_amount"].dtype == "int64"
    assert (table["credit_amount"] == stored["credit_amount"]).all()
    assert (table["bad"] == (stored["creditability"] == "bad")).all()
    assert (rows.development, rows.tested) == (len(split.development), len(split.test))
    assert rows.bad == table["bad"][rows.development :].sum()
    assert {kind.kind for kind in codes.dtypes} <= {"f", "i"}
    names = sorted(stored["purpose"].unique())
    assert (codes["purpose"] == stored["purpose"].map(names.index)).all()
