"""Promotions: floors, proof, models from elsewhere, and a ledger that survives crashes and tells of tampering."""

import sqlite3
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

import thinfile
from experiments.experiment.settings import TuneSettings
from experiments.promotion.ledger import Ledger
from experiments.promotion.promote import promote
from experiments.promotion.settings import PromoteSettings
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, Source
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.settings import Range
from pipelines.command.verb import ExitCode
from pipelines.errors import RequestError
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHALLENGER, CHAMPION
from pipelines.policy.pack import GateSettings, PolicySettings
from pipelines.storage.chain import Chain, ChainBroken
from pipelines.storage.workspace import Workspace

ROWS = 1200


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Applications whose outcome hangs on income and debt; the weak table hides debt in noise."""
    folder = tmp_path_factory.mktemp("tables")
    generator = np.random.default_rng(0)
    income, debt = generator.normal(size=(2, ROWS))
    bad = (debt - income + generator.normal(size=ROWS) > 0.8).astype(int)
    full = pd.DataFrame({"id": [f"A{n:05d}" for n in range(ROWS)], "income": income, "debt": debt, "bad": bad})
    tables = {"full": full, "weak": full.assign(debt=generator.normal(size=ROWS))}
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    return {name: folder / f"{name}.parquet" for name in tables}


def data_of(path: Path, **roles: Any) -> DataSettings:
    return DataSettings(source=Source.table, path=str(path), id="id", label="bad", **roles)


def tuned(workspace: Workspace, path: Path, **roles: Any) -> int:
    candidate = ScorecardSettings(space={"max_bins": Range(3, 6)})
    settings = TuneSettings(workspace=str(workspace.root), data=data_of(path, **roles), candidate=candidate, trials=1)
    return int(str(tune(settings).result["version"]))


def promoted(workspace: Workspace, **settings: Any) -> Any:
    return promote(PromoteSettings(workspace=str(workspace.root), **settings))


def test_without_a_challenger_there_is_nothing_to_promote(workspace: Workspace) -> None:
    with pytest.raises(RequestError, match="no challenger; register one with `thinfile tune`"):
        promoted(workspace)


def test_a_first_champion_passes_the_floors_alone(workspace: Workspace, tables: dict[str, Path]) -> None:
    tuned(workspace, tables["full"])
    outcome = promoted(workspace)
    assert outcome.exit_code is ExitCode.DONE
    asked = [gate["gate"] for gate in outcome.result["evidence"]["gates"]]
    assert asked == [
        "outcome maturity",
        "enough outcomes",
        "no twins",
        "discrimination",
        "calibration",
        "score stability",
        "no leak",
    ]
    store = ModelStore(workspace)
    assert store.aliased("credit_score", CHAMPION).version == 1
    assert store.aliased("credit_score", CHALLENGER) is None


def test_a_floor_that_is_missed_refuses_and_says_by_how_much(workspace: Workspace, tables: dict[str, Path]) -> None:
    tuned(workspace, tables["full"])
    outcome = promoted(workspace, policy=PolicySettings(gates=GateSettings(minimum_auc=0.99)))
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    (gate,) = (gate for gate in outcome.result["evidence"]["gates"] if gate["gate"] == "discrimination")
    assert gate["sentence"] == f"AUC {gate['value']:.4f}, {0.99 - gate['value']:.4f} below the minimum of 0.99"
    assert ModelStore(workspace).aliased("credit_score", CHAMPION) is None


def test_a_better_challenger_is_promoted_and_an_equal_one_is_not(workspace: Workspace, tables: dict[str, Path]) -> None:
    tuned(workspace, tables["full"], ignored=["debt"])
    promoted(workspace)
    # The same rows, and so the same test part, with the column that matters: truly better.
    better = tuned(workspace, tables["full"])
    outcome = promoted(workspace)
    # The champion knows fewer columns than the challenger's data: it can still be asked.
    assert outcome.exit_code is ExitCode.DONE
    assert outcome.result["version"] == better
    # Refitted with one more bin on the same columns: not proven better.
    candidate = ScorecardSettings(space={})
    candidate.parameters.max_bins = 7
    tune(TuneSettings(workspace=str(workspace.root), data=data_of(tables["full"]), candidate=candidate, trials=1))
    refused = promoted(workspace)
    assert refused.exit_code is ExitCode.ANSWER_IS_NO
    failed = [gate["gate"] for gate in refused.result["evidence"]["gates"] if gate["answer"] == "failed"]
    assert failed == ["superior to the champion"]
    decisions = [entry.content["decision"] for entry in Chain(workspace, "promotions of credit_score").entries()]
    assert decisions == ["requested", "promoted", "requested", "promoted", "refused"]


def test_a_challenger_is_judged_on_the_data_it_was_tested_on(workspace: Workspace, tables: dict[str, Path]) -> None:
    tuned(workspace, tables["full"])
    with pytest.raises(RequestError, match="the data is not that of the test of credit_score version"):
        promoted(workspace, data=data_of(tables["weak"]))


@pytest.mark.parametrize(
    "tampering",
    ["delete from chain", """update chain set content = replace(content, 'promoted', 'refused')"""],
)
def test_a_removed_or_changed_entry_is_found(workspace: Workspace, tables: dict[str, Path], tampering: str) -> None:
    tuned(workspace, tables["full"])
    promoted(workspace)
    with sqlite3.connect(workspace.chain) as connection:
        connection.execute(tampering)
    connection.close()
    with pytest.raises(ChainBroken):
        Ledger(workspace, ModelStore(workspace), "credit_score")


class Elsewhere(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
    """A model of somebody else's: more debt, more risk."""

    def __init__(self, classes: bool) -> None:
        self.classes = classes

    def predict(self, context: object, model_input: pd.DataFrame) -> np.ndarray:  # noqa: ARG002
        probability = 1 / (1 + np.exp(1.3 - 1.5 * (model_input["debt"] - model_input["income"]).to_numpy()))
        return (probability > 0.5).astype(int) if self.classes else probability


def logged_elsewhere(workspace: Workspace, *, classes: bool) -> int:
    """Log and register a model with MLflow alone, as a team that does not use Thinfile would."""
    ModelStore(workspace)  # points MLflow to the workspace
    columns = Schema([ColSpec(DataType.double, "income"), ColSpec(DataType.double, "debt")])
    with mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="model",
            python_model=Elsewhere(classes),
            signature=ModelSignature(columns, Schema([ColSpec(DataType.double)])),
            registered_model_name="credit_score",
            pip_requirements=["mlflow"],
        )
    return ModelStore(workspace).versions("credit_score")[-1].version


@pytest.mark.filterwarnings("ignore:.*input example was not provided")
def test_a_model_trained_elsewhere_can_be_promoted_scored_and_watched(
    workspace: Workspace, tables: dict[str, Path]
) -> None:
    version = logged_elsewhere(workspace, classes=False)
    with pytest.raises(RequestError, match="trained elsewhere and has no record of its data"):
        promoted(workspace, version=version)
    outcome = promoted(workspace, version=version, data=data_of(tables["full"]))
    assert outcome.exit_code is ExitCode.DONE
    assert outcome.result["evidence"]["about"]["training_rows"] == "unknown: trained elsewhere"
    words = [f"workspace={workspace.root}", "period=2026-01"]
    assert thinfile.main(["score", "data=table", f"data.path={tables['full']}", "data.id=id", *words]) == 0
    assert thinfile.main(["watch", *words]) == 0


@pytest.mark.filterwarnings("ignore:.*input example was not provided")
def test_a_model_that_answers_with_classes_is_refused_with_the_reason(
    workspace: Workspace, tables: dict[str, Path]
) -> None:
    version = logged_elsewhere(workspace, classes=True)
    with pytest.raises(RequestError, match="returned classes such as"):
        promoted(workspace, version=version, data=data_of(tables["full"]))
