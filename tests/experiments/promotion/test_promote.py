"""Promotions: floors, proof, models from elsewhere, and a ledger that survives crashes and tells of tampering."""

import json
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

import thinfile
from experiments.experiment.settings import TuneSettings
from experiments.promotion.ledger import PromotionLedger
from experiments.promotion.promote import promote
from experiments.promotion.settings import PromoteAction, PromoteSettings
from experiments.promotion.verify import verify
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, RiskDirection, Source, SplitSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.registry import family_named
from pipelines.candidates.settings import Range
from pipelines.command.verb import ExitCode
from pipelines.errors import RequestError
from pipelines.model_store.files import DOCUMENT, PROFILE, model_hash
from pipelines.model_store.foreign_process import ISOLATED
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHALLENGER, CHAMPION, DATA, EVALUATION, TEST_PART
from pipelines.policy.model_settings import ModelSettings
from pipelines.policy.pack import GateSettings, PolicySettings
from pipelines.storage.chain import Chain, ChainBroken
from pipelines.storage.workspace import Workspace
from tests.mlflow_at import mlflow_at
from tests.outside_family import installed, trusting

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


NO_VIOLATION = PolicySettings(gates=GateSettings(monotone=0.0))


def judged_directions(outcome: Any) -> dict[str, Any]:
    """Return the result of the gate of declared directions."""
    (gate,) = (one for one in outcome.result["evidence"]["gates"] if one["gate"] == "declared directions")
    return dict(gate)


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
        "tests of one test part",
        "discrimination",
        "calibration",
        "score stability",
        "no leak",
        "approval rate",
        "scores at the ends of the scale",
        "ranking by points",
    ]
    store = ModelStore(workspace)
    assert store.aliased("credit_score", CHAMPION).version == 1
    assert store.aliased("credit_score", CHALLENGER) is None


@pytest.mark.integration
def test_a_floor_that_is_missed_refuses_and_says_by_how_much(workspace: Workspace, tables: dict[str, Path]) -> None:
    tuned(workspace, tables["full"])
    outcome = promoted(workspace, policy=PolicySettings(gates=GateSettings(minimum_auc=0.99)))
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    (gate,) = (gate for gate in outcome.result["evidence"]["gates"] if gate["gate"] == "discrimination")
    assert gate["sentence"] == (
        f"AUC {gate['value']:.4f} (95% interval {gate['low']:.4f} to {gate['high']:.4f}); required: at least 0.99; the "
        f"figure decides: missed by {0.99 - gate['value']:.4f}"
    )
    assert any(line.startswith("  FAILED  discrimination: AUC") for line in outcome.summary)
    assert ModelStore(workspace).aliased("credit_score", CHAMPION) is None


@pytest.mark.integration
def test_declared_directions_of_a_version_are_judged(workspace: Workspace, tables: dict[str, Path]) -> None:
    # given directions of which one contradicts the data
    directions = {"income": RiskDirection.riskier, "debt": RiskDirection.riskier}
    tuned(workspace, tables["full"], directions=directions)
    evaluation = json.loads(ModelStore(workspace).version("credit_score", 1).tags[EVALUATION])
    assert {one["feature"]: one["share_violating"] for one in evaluation["directions"]} == {"income": 0.0, "debt": 0.0}
    gate = judged_directions(promoted(workspace, policy=NO_VIOLATION))
    assert (gate["answer"], gate["sentence"]) == (
        "passed",
        "the score keeps to the declared directions of income, debt; required: against the declared direction of a "
        "feature in at most 0% of the applications; the largest share decides: met exactly",
    )


@pytest.mark.integration
def test_a_family_that_does_not_keep_to_directions_is_refused(workspace: Workspace, tables: dict[str, Path]) -> None:
    data = data_of(tables["full"], directions={"income": RiskDirection.riskier, "debt": RiskDirection.riskier})
    with installed():
        candidate = family_named("naive_bayes").default_settings()
        policy = replace(NO_VIOLATION, models=trusting())
        settings = TuneSettings(workspace=str(workspace.root), data=data, candidate=candidate, trials=1, policy=policy)
        outcome = tune(settings)
        gate = judged_directions(promoted(workspace, policy=policy))
    (warning,) = (line for line in outcome.summary if "warning: the score moves against" in line)
    assert "declared direction of income (riskier: in 100.0% of 200 applications, by up to" in warning
    assert (gate["answer"], gate["value"]) == ("failed", 1.0)


@pytest.mark.integration
def test_directions_are_not_measured_where_none_is_declared(workspace: Workspace, tables: dict[str, Path]) -> None:
    tuned(workspace, tables["full"])
    outcome = promoted(workspace, policy=NO_VIOLATION)
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    assert judged_directions(outcome)["answer"] == "not measured"


@pytest.mark.integration
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
    failed = [gate for gate in refused.result["evidence"]["gates"] if gate["answer"] == "failed"]
    assert [gate["gate"] for gate in failed if gate["blocking"]] == ["superior to the champion"]
    # Outcomes that follow so surely from two columns put many scores at the ends of the scale.
    warned = [gate["gate"] for gate in failed if not gate["blocking"]]
    assert warned == ["scores at the ends of the scale", "ranking by points"]
    assert sum(line.startswith("  warned  ") for line in refused.summary) == 2
    decisions = [entry.content["decision"] for entry in Chain(workspace, "promotions of credit_score").entries()]
    assert decisions == ["requested", "promoted", "requested", "promoted", "refused"]


@pytest.mark.integration
def test_a_challenger_is_judged_on_the_data_it_was_tested_on(workspace: Workspace, tables: dict[str, Path]) -> None:
    tuned(workspace, tables["full"])
    with pytest.raises(RequestError, match="the data is not that of the test of credit_score version"):
        promoted(workspace, data=data_of(tables["weak"]))


@pytest.mark.integration
def test_what_a_version_was_trained_on_is_in_its_files_whatever_its_tags_are(
    workspace: Workspace, tables: dict[str, Path]
) -> None:
    store, version = ModelStore(workspace), tuned(workspace, tables["full"])
    whole = store.version("credit_score", version)
    # given a version whose tags are edited so that it may be judged on the rows that it was trained on
    for name in (TEST_PART, DATA):
        store.client.delete_model_version_tag("credit_score", str(version), name)
    again = data_of(tables["full"])
    with pytest.raises(RequestError, match="the test part is not that of the test of credit_score version 1"):
        promoted(workspace, data=again, split=SplitSettings(seed=7))
    store.tag(whole, {TEST_PART: "0" * 64, DATA: "0" * 64})
    with pytest.raises(RequestError, match="the test part is not that of the test of credit_score version 1"):
        promoted(workspace, data=again, split=SplitSettings(seed=7))
    # then it is judged on its own test part, and the document that is gone is found
    outcome = promoted(workspace)
    about = outcome.result["evidence"]["about"]
    assert (about["test_part"], about["data"]) == (whole.tags[TEST_PART], whole.tags[DATA])
    assert about["training_rows"] == "recorded"
    settings = PromoteSettings(action=PromoteAction.verify, workspace=str(workspace.root))
    assert verify(settings).result["findings"] == []
    document = store.attached(whole, DOCUMENT)
    assert document is not None
    document.unlink()
    (finding,) = verify(settings).result["findings"]  # type: ignore[misc]
    assert finding.startswith(f"version 1: its {DOCUMENT} is missing")


@pytest.mark.integration
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
        PromotionLedger(workspace, ModelStore(workspace), "credit_score")


cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the class below comes with its model


class Elsewhere(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
    """A model of somebody else's: more debt, more risk."""

    def __init__(self, classes: bool) -> None:
        self.classes = classes

    def predict(self, context: object, model_input: pd.DataFrame) -> np.ndarray:  # noqa: ARG002
        probability = 1 / (1 + np.exp(1.3 - 1.5 * (model_input["debt"] - model_input["income"]).to_numpy()))
        return (probability > 0.5).astype(int) if self.classes else probability


def logged_elsewhere(workspace: Workspace, *, classes: bool) -> int:
    """Log and register a model with MLflow alone, as a team that does not use Thinfile would."""
    store = ModelStore(workspace)
    columns = Schema([ColSpec(DataType.double, "income"), ColSpec(DataType.double, "debt")])
    with mlflow_at(store), mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="model",
            python_model=Elsewhere(classes),
            signature=ModelSignature(columns, Schema([ColSpec(DataType.double)])),
            registered_model_name="credit_score",
            pip_requirements=["mlflow"],
        )
    return ModelStore(workspace).versions("credit_score")[-1].version


def allowing(workspace: Workspace, *versions: int) -> ModelSettings:
    """Return the settings of a policy that allows versions that another tool logged."""
    store = ModelStore(workspace)
    folders = [store.download(store.version("credit_score", version)) for version in versions]
    return ModelSettings(foreign={model_hash(folder): "credit_score" for folder in folders}, seconds=600)


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore:.*input example was not provided")
def test_a_model_trained_elsewhere_can_be_promoted_scored_and_watched(
    workspace: Workspace, tables: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    version, later = (logged_elsewhere(workspace, classes=False) for _ in range(2))
    with pytest.raises(
        RequestError, match=r"logged by another tool, and using it runs code .*: 'policy\.models\.foreign"
    ):
        promoted(workspace, version=version, data=data_of(tables["full"]))
    policy = PolicySettings(models=allowing(workspace, version, later))
    with pytest.raises(RequestError, match="trained elsewhere and has no record of its data"):
        promoted(workspace, version=version, policy=policy)
    outcome = promoted(workspace, version=version, data=data_of(tables["full"]), policy=policy)
    assert outcome.exit_code is ExitCode.DONE
    about = outcome.result["evidence"]["about"]
    assert about["training_rows"] == "unknown: trained elsewhere"
    assert about["isolation"] == {"version 1": ISOLATED}
    assert f"  note    the process of version 1 was {ISOLATED}" in outcome.summary
    # Its directions are those of the data settings; what it learnt is not known.
    against = data_of(tables["full"], directions={"debt": RiskDirection.safer})
    judged = replace(NO_VIOLATION, models=policy.models)
    gate = judged_directions(promoted(workspace, version=later, data=against, policy=judged))
    assert (gate["answer"], gate["value"]) == ("failed", 1.0)
    words = [f"workspace={workspace.root}", "period=2026-01"]
    score = ["score", "data=table", f"data.path={tables['full']}", "data.id=id", *words]
    assert thinfile.main(score) == 0  # the policy of the promotion allows it
    assert thinfile.main([*score, "policy=default"]) == 2
    assert thinfile.main([*score, f"policy.models.foreign={json.dumps(policy.models.foreign)}"]) == 0
    assert thinfile.main(["watch", *words]) == 0
    # The reference profile is kept apart from its files, and is the one of the promotion.
    store = ModelStore(workspace)
    profile = store.attached(store.version("credit_score", version), PROFILE)
    assert profile is not None
    profile.write_text(profile.read_text().replace("0", "1", 1))
    capsys.readouterr()
    assert thinfile.main(["watch", *words]) == 3
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(f"CHAMPION DISPUTED: the {PROFILE} of version 1, champion since")
    assert thinfile.main([*score[:-1], "period=2026-02"]) == 3


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore:.*input example was not provided")
def test_a_model_that_answers_with_classes_is_refused_with_the_reason(
    workspace: Workspace, tables: dict[str, Path]
) -> None:
    version = logged_elsewhere(workspace, classes=True)
    policy = PolicySettings(models=allowing(workspace, version))
    with pytest.raises(RequestError, match="returned classes such as"):
        promoted(workspace, version=version, data=data_of(tables["full"]), policy=policy)
