"""Studies in compare, from the trials that tune left: two on the same folds, one on others, and one without a model."""

import json

import pytest

from experiments.compare.leaderboard import compare
from experiments.compare.settings import CompareSettings
from experiments.compare.study import compare_study
from experiments.experiment.settings import TuneSettings
from experiments.search.study import Study
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, Source, SplitSettings
from pipelines.candidates.families.scorecard import ScorecardParameters, ScorecardSettings
from pipelines.candidates.settings import Range
from pipelines.command.verb import as_json
from pipelines.errors import RequestError, ThinfileError
from pipelines.storage.workspace import Workspace

pytestmark = pytest.mark.integration

GERMAN = DataSettings(source=Source.german_credit, label="creditability", bad="bad")
FAILED = "f" * 16


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> CompareSettings:
    """Settings of compare in a workspace with studies."""
    root = tmp_path_factory.mktemp("compared") / "workspace"

    def search(bins: int, split_seed: int = 0) -> None:
        candidate = ScorecardSettings(
            parameters=ScorecardParameters(max_bins=bins), space={"smoothing": Range(1, 50, log=True)}
        )
        split = SplitSettings(seed=split_seed)
        tune(TuneSettings(workspace=str(root), data=GERMAN, candidate=candidate, split=split, trials=3, model="german"))

    search(bins=2)
    search(bins=6)
    search(bins=6, split_seed=1)
    space = {}  # type: ignore[var-annotated]
    failing = Study(Workspace(root), FAILED, space, guide=lambda *_: {}, seed=0, title=f"german auto {FAILED}")

    def fails(*_: object) -> None:
        raise ValueError("no such device")

    with pytest.raises(ThinfileError):
        list(failing.run(fails, 1))  # type: ignore[arg-type]
    return CompareSettings(workspace=str(root), model="german")


def test_studies_are_listed_below_the_versions(at: CompareSettings) -> None:
    result = compare(at).result
    rows = result["studies"]
    assert isinstance(rows, list)
    assert sorted(row["state"] for row in rows) == ["failed", "version 1", "version 2", "version 3"]
    folds = {row["state"]: row["folds"] for row in rows}
    assert folds["failed"] is None
    first, second = folds["version 1"], folds["version 2"]
    assert {first, second} in ({"the best", "same"}, {"other"})
    versions = {row["version"]: row for row in result["versions"]}  # type: ignore[attr-defined]
    for row in rows[:3]:
        assert row["test_auc"] == versions[row["version"]]["test_auc"]
        assert row["shrinkage"] == pytest.approx(row["cv_auc"] - row["test_auc"])
        assert row["trials"]["finished"] == 3
    json.dumps(as_json(compare(at)))


@pytest.fixture
def without_refits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of a study without the parts that fit models."""
    monkeypatch.setattr("experiments.compare.study_page.study_page.refit_facts", lambda *_: {})


@pytest.mark.usefixtures("without_refits")
def test_a_study_shows_its_trials_and_what_it_registered(at: CompareSettings) -> None:
    (row,) = [one for one in compare(at).result["studies"] if one["state"] == "version 2"]  # type: ignore[attr-defined]
    result = compare_study(CompareSettings(workspace=at.workspace, model="german", study=row["study"])).result
    trials, final = result["trials"], result["final"]
    assert [trial["cv_auc"] for trial in trials] == sorted((trial["cv_auc"] for trial in trials), reverse=True)  # type: ignore[attr-defined]
    assert [trial["behind"] is None for trial in trials] == [True, False, False]  # type: ignore[attr-defined]
    assert final["version"] == 2  # type: ignore[index]
    assert [part["weight"] for part in final["parts"]] == [1.0]  # type: ignore[index]
    assert final["cost"] == row["cost"]  # type: ignore[index]
    json.dumps(as_json(compare_study(CompareSettings(workspace=at.workspace, model="german", study=row["title"]))))


def test_a_study_without_a_finished_trial_shows_why(at: CompareSettings) -> None:
    outcome = compare_study(CompareSettings(workspace=at.workspace, model="german", study="ffff"))
    assert outcome.result["failures"] == {"ValueError: no such device": 1}
    assert outcome.result["final"] is None
    assert "1 failed with: ValueError: no such device" in outcome.summary
    assert outcome.next_steps == [f"open {outcome.result['page']}"]


def test_a_model_without_versions_and_studies_is_refused(at: CompareSettings) -> None:
    with pytest.raises(RequestError, match="model 'other' has no versions and no studies; start with `thinfile tune`"):
        compare(CompareSettings(workspace=at.workspace, model="other"))
