"""Directions of features are declared by name; a name that is no numeric feature is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import thinfile
from pipelines.applications.directions import directions_of
from pipelines.applications.settings import DataSettings, RiskDirection, Source
from pipelines.errors import ConfigurationError
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHALLENGER
from pipelines.storage.workspace import Workspace


def declared(**directions: RiskDirection) -> DataSettings:
    return DataSettings(source=Source.table, directions=directions)


def test_larger_numbers_are_riskier_or_safer() -> None:
    data = declared(income=RiskDirection.safer, debt=RiskDirection.riskier)
    assert directions_of(["age", "debt", "income"], data) == {"income": -1, "debt": 1}


@pytest.mark.parametrize(("name", "advice"), [("incme", "did you mean income"), ("city", "known: debt, income")])
def test_a_direction_of_what_is_not_a_numeric_feature_is_refused(name: str, advice: str) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"data.directions names '{name}', .* not a numeric feature; {advice}"
    ):
        directions_of(["debt", "income"], declared(**{name: RiskDirection.safer}))


def test_tune_registers_a_model_that_keeps_the_direction(
    tmp_path: Path, german_table: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    # given a direction that contradicts the data: longer loans turn bad more often
    workspace = tmp_path / "workspace"
    words = ["data.directions={duration_in_month: safer}", "trials=1", "output=json", f"workspace={workspace}"]
    assert thinfile.main(["tune", "candidate=hist_gradient_boosting", *words]) == 0
    json.loads(capsys.readouterr().out)
    store = ModelStore(Workspace.at(str(workspace)))
    registered = store.aliased("credit_score", CHALLENGER)
    assert registered is not None
    predictor, rows = load_predictor(store, registered), german_table.head(50)
    log_odds = [predictor.log_odds(rows.assign(duration_in_month=months)) for months in range(6, 61, 6)]
    assert np.diff(log_odds, axis=0).max() <= 1e-9
