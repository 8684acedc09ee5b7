"""All who asked, with the earlier policy's decisions, beside the training table of the approved."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.applications.applications import load_applications
from pipelines.applications.settings import DataSettings, Source
from pipelines.applications.ttd_population import decided_ttd_population, read_ttd_population, ttd_path
from pipelines.errors import ConfigurationError, DataError
from pipelines.storage.workspace import Workspace

ASKED = pd.DataFrame(
    {
        "id": [1, 2, 3, 4, 5],
        "at": ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04", "2026-01-05"],
        "income": [10.0, 20.0, 30.0, 40.0, 50.0],
        "verdict": ["yes", "no", "yes", "yes", "no"],
        "lot": [False, True, None, True, False],
    }
)


def settings(folder: Path, **changed: object) -> DataSettings:
    trained = ASKED[ASKED["verdict"] == "yes"].assign(bad=[0, 1, 0])
    trained.to_csv(folder / "trained.csv", index=False)
    ASKED.to_csv(folder / "asked.csv", index=False)
    told: dict[str, object] = {
        "source": Source.table,
        "path": str(folder / "trained.csv"),
        "ttd_population": str(folder / "asked.csv"),
        "id": "id",
        "time": "at",
        "label": "bad",
        "decision": "verdict",
        "approved": "yes",
        "random_approval": "lot",
    }
    return DataSettings(**(told | changed))  # type: ignore[arg-type]


def test_decisions_travel_with_all_who_asked_and_are_no_features(tmp_path: Path, workspace: Workspace) -> None:
    data = settings(tmp_path)
    trained = load_applications(data, workspace)
    assert trained.roles.numeric == ("income",)
    assert (trained.approved, trained.by_lot) == (None, None)
    everyone = decided_ttd_population(data, workspace, trained.roles)
    assert everyone is not None
    assert everyone.bad is None
    assert list(everyone.features) == ["income"]
    assert list(everyone.ids) == ["1", "2", "3", "4", "5"]
    assert everyone.approved is not None
    assert everyone.by_lot is not None
    assert everyone.approved.tolist() == [True, False, True, True, False]
    assert everyone.by_lot.tolist() == [False, False, False, True, False]  # a declined one was not approved by lot
    then = everyone.during(np.datetime64("2026-01-02"), np.datetime64("2026-01-04"))
    assert then.approved is not None
    assert (list(then.ids), then.approved.tolist()) == (["2", "3", "4"], [False, True, True])


def test_where_nobody_tells_decisions_there_are_none(tmp_path: Path, workspace: Workspace) -> None:
    data = settings(tmp_path)
    roles = load_applications(data, workspace).roles
    assert decided_ttd_population(settings(tmp_path, decision=None), workspace, roles) is None
    assert decided_ttd_population(settings(tmp_path, ttd_population=None), workspace, roles) is None
    assert read_ttd_population(data, workspace, roles).approved is None
    with pytest.raises(ConfigurationError, match=r"add data\.ttd_population=FILE"):
        read_ttd_population(settings(tmp_path, ttd_population=None), workspace, roles)


def test_decisions_that_cannot_be_used_are_refused(tmp_path: Path, workspace: Workspace) -> None:
    roles = load_applications(settings(tmp_path), workspace).roles
    with pytest.raises(DataError, match=r"never has the value 'oui'; set data\.approved"):
        decided_ttd_population(settings(tmp_path, approved="oui"), workspace, roles)
    with pytest.raises(ConfigurationError, match=r"data\.id is not set"):
        decided_ttd_population(settings(tmp_path, id=None), workspace, roles)
    with pytest.raises(DataError, match=r"data\.decision names 'verdct', which is not a column"):
        decided_ttd_population(settings(tmp_path, decision="verdct"), workspace, roles)
    with pytest.raises(ConfigurationError, match="column 'verdict' has 2 roles"):
        load_applications(settings(tmp_path, numeric=["verdict"]), workspace)


def test_a_marketplace_keeps_all_who_asked_beside_its_training_table() -> None:
    data = DataSettings(source=Source.marketplace, path="/lake/marketplace/training")
    assert ttd_path(data) == "/lake/marketplace/applications"
