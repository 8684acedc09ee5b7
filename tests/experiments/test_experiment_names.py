"""The name of an experiment reaches every record of its study, and changes nothing else."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.compare.leaderboard import compare
from experiments.compare.settings import CompareSettings
from experiments.experiment.settings import TuneSettings
from experiments.promotion.history import history
from experiments.promotion.promote import promote
from experiments.promotion.settings import PromoteSettings
from experiments.replay.replay import replay
from experiments.replay.settings import ReplaySettings
from experiments.search.tune import tune
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CONFIG, EXPERIMENT
from pipelines.storage.workspace import Workspace

from pipelines.applications.settings import DataSettings, Source  # isort: skip


pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace.at(str(tmp_path_factory.mktemp("names") / "workspace"))


@pytest.fixture(scope="module")
def results(shared: Workspace) -> list[dict[str, Any]]:
    """The results of one study under the names one, two and none."""
    data = DataSettings(source=Source.german_credit, label="creditability", bad="bad", amount="credit_amount")
    plain = TuneSettings(workspace=str(shared.root), data=data, candidate=ScorecardSettings(), trials=1)
    named = [replace(plain, experiment_name=name, overrides=["trials=1"]) for name in ("one", "two")]
    return [dict(tune(settings).result) for settings in (*named, plain)]


def test_the_study_goes_on_and_keeps_both_names(shared: Workspace, results: list[dict[str, Any]]) -> None:
    assert [result["experiment"] for result in results] == ["one", "two", None]
    assert len({(result["study"], result["run_id"], result["version"]) for result in results}) == 1
    store = ModelStore(shared)
    run = store.client.get_run(results[0]["run_id"])
    assert run.data.tags[EXPERIMENT] == "one, two"
    assert run.info.run_name.startswith("two: scorecard ")
    assert store.version("credit_score", 1).tags[EXPERIMENT] == "one, two"


def test_compare_ledger_and_document_have_the_name(shared: Workspace, results: list[dict[str, Any]]) -> None:
    workspace = str(shared.root)
    [row] = compare(CompareSettings(workspace=workspace)).result["versions"]  # type: ignore[attr-defined]
    assert row["experiment"] == "one, two"
    promoted = promote(PromoteSettings(workspace=workspace, version=results[0]["version"]))
    assert promoted.result["decision"] == "promoted"
    entries: Any = history(PromoteSettings(workspace=workspace)).result["entries"]
    assert [entry["experiment"] for entry in entries] == ["one, two"] * 2
    assert "<th>experiment</th><td>one, two</td>" in Path(str(promoted.result["document"])).read_text()


def test_a_record_with_and_without_a_name_is_replayed(shared: Workspace, results: list[dict[str, Any]]) -> None:
    store, run_id = ModelStore(shared), results[0]["run_id"]
    settings = ReplaySettings(workspace=str(shared.root), run=run_id)
    assert replay(settings).result["agrees"]
    record = store.read_record(run_id, CONFIG)
    assert record.pop("experiment_name") == "one"
    del record["overrides"], record["leave_out"]
    folder = shared.root / "earlier"
    folder.mkdir()
    (folder / CONFIG).write_text(json.dumps(record, indent=1))
    store.log_files(run_id, folder)
    answer: Any = replay(settings).result
    assert [one["what"] for one in answer["differences"]] == ["config_hash"]
