"""A workspace may have any path that a folder can have; nothing is written outside it."""

from pathlib import Path

import optuna
import pandas as pd
import pytest

from experiments.search.optuna_adapter import study_storage
from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.score import score
from pipelines.batch.settings import ScoreSettings
from pipelines.ledger.champion import proven_champion
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.storage.chain import Chain
from pipelines.storage.workspace import Workspace
from tests.pipelines.candidates.test_conformance import a_table, trained
from tests.pipelines.model_store.champions import make_champion

pytestmark = pytest.mark.integration

NAMES = [
    "with space",
    "a%20b",
    "100%",
    "what?",
    "a?uri=true",
    "a#b",
    "Kreditprüfung 信用",
    "a&b=c;d",
    "it's",
    'say "so"',
    "{name}",
    "{0}",
    "[x]",
    "back\\slash",
    "$HOME",
    "a:b@c",
    "n" * 150,
    "a%20b {x}? ü",
]


WHOLE = ["Kreditprüfung 信用", "a%20b {x}?", "a?uri=true", "100% [0] #b", 'it\'s "so" & c;d', "n" * 150]
"""Names below which a model is registered and a table is scored, which takes seconds."""


@pytest.mark.parametrize("name", NAMES)
def test_databases_are_opened_below_any_path(name: str, tmp_path: Path) -> None:
    workspace = Workspace.at(str(tmp_path / "workspaces" / name))
    study = optuna.create_study(storage=study_storage(workspace), study_name="one")
    study.add_trial(optuna.trial.create_trial(value=1.0))
    assert optuna.load_study(storage=study_storage(workspace), study_name="one").best_value == 1.0
    Chain(workspace, "one").append({"a": 1}, after=0)
    assert [dict(entry.content) for entry in Chain(workspace, "one").entries()] == [{"a": 1}]
    assert [one.name for one in (tmp_path / "workspaces").iterdir()] == [name]
    assert {one.name for one in workspace.root.iterdir()} >= {"studies.db", "chain.db"}


@pytest.mark.parametrize("name", WHOLE)
def test_a_table_is_scored_below_any_path(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    root = tmp_path / "workspaces" / name
    workspace = Workspace.at(str(root))
    store = ModelStore(workspace)
    models = tmp_path / "models" / name
    models.mkdir(parents=True)
    champion = make_champion(store, trained("scorecard"), models / "model")
    assert load_predictor(store, proven_champion(store, "credit_score")).hash == load_predictor(store, champion).hash

    table = a_table(50)[0].assign(id=[f"a{row}" for row in range(50)])
    table.to_csv(tmp_path / "table.csv", index=False)
    data = DataSettings(source=Source.table, path=str(tmp_path / "table.csv"), id="id")
    result = score(ScoreSettings(str(root), data=data, period="2026-10")).result
    assert result["scored"] == 50
    (file,) = (workspace.score_log / "decisions").rglob("*.parquet")
    assert len(pd.read_parquet(file, partitioning=None)) == 50

    assert {one.name for one in root.iterdir()} >= {"mlflow.db", "artifacts", "score_log"}
    assert list(elsewhere.iterdir()) == []
    assert [one.name for one in root.parent.iterdir()] == [name]
    assert [one.name for one in models.parent.iterdir()] == [name]
    assert {one.name for one in tmp_path.iterdir()} == {"elsewhere", "workspaces", "models", "table.csv"}
