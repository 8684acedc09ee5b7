"""The page of a study that was run: computed once, kept with the run, and shown where the data are gone."""

import json
from pathlib import Path

import pytest

from experiments.compare.settings import CompareSettings
from experiments.compare.study import compare_study
from experiments.compare.study_page import study_page
from experiments.experiment.settings import TuneSettings
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, Source
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.settings import Range
from pipelines.model_store.store import existing_store
from pipelines.storage.workspace import Workspace
from tests.experiments.compare.study_page.experiments import experiment_on

pytestmark = pytest.mark.integration


def test_the_page_is_computed_once_and_outlives_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a study
    experiment_on(tmp_path)
    table, workspace = tmp_path / "table.csv", str(tmp_path / "workspace")
    data = DataSettings(source=Source.table, path=str(table), label="bad")
    candidate = ScorecardSettings(space={"smoothing": Range(1, 50, log=True)})
    study = tune(TuneSettings(workspace=workspace, data=data, candidate=candidate, trials=3, threads=1)).result["study"]
    asked = CompareSettings(workspace=workspace, study=str(study))
    # when its data have changed before the page was computed
    original = table.read_text()
    table.write_text(original.replace("dark", "dusky"))
    changed = compare_study(asked).result
    # then the search is shown, and the reason why no model was fitted
    assert changed["numbers"]["refits"] is None
    assert "the data are not those of the study" in changed["numbers"]["refits_missing"]
    assert "the data are not those of the study" in Path(changed["page"]).read_text()
    assert len(changed["numbers"]["search"]["history"]) == 3
    # when they are there again
    table.write_text(original)
    first = compare_study(asked).result
    # then every part is there
    assert set(first["numbers"]["refits"]) == {"learning_curve", "ablation", "permutation", "calibration"}
    assert not [name for name, part in first["numbers"]["refits"].items() if "missing" in part]
    assert "Not available" not in Path(first["page"]).read_text()
    # and a second call fits nothing, even without the table
    table.unlink()
    monkeypatch.setattr(study_page, "refit_facts", None)
    again = compare_study(asked).result
    assert again["numbers"] == first["numbers"]
    # and both files are with the run
    store = existing_store(Workspace.at(workspace), "credit_score")
    run = first["numbers"]["run_id"]
    assert store.read_record(run, study_page.NUMBERS) == json.loads(json.dumps(first["numbers"]))
    assert study_page.PAGE in {file.path for file in store.client.list_artifacts(run)}
