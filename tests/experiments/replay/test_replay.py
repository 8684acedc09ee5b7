"""A replay rebuilds a run from its record alone, and names what differs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.experiment.differences import compare_records
from experiments.experiment.recorded_settings import settings_of
from experiments.experiment.settings import TuneSettings
from experiments.replay.replay import replay
from experiments.replay.settings import Extent, MovedData, ReplaySettings
from experiments.search.run_record import RunRecord, joined_environments
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, Source
from pipelines.candidates.families.hist_gradient_boosting import HistGradientBoostingSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.settings import Range
from pipelines.command.provenance import provenance
from pipelines.command.verb import ExitCode, Outcome
from pipelines.errors import ConfigurationError, DataError, RequestError
from pipelines.model_store.store import ModelStore
from pipelines.storage.json_values import to_json_values
from pipelines.storage.workspace import Workspace
from thinfile import main


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, dict[str, Any]]:
    """A workspace with one study of three trials, and what tune answered."""
    workspace = Workspace.at(str(tmp_path_factory.mktemp("tuned")))
    return workspace, dict(tune(asked(workspace)).result)


def asked(workspace: Workspace, **changed: Any) -> TuneSettings:
    data = DataSettings(source=Source.german_credit, label="creditability", bad="bad", ignored=["foreign_worker"])
    candidate = ScorecardSettings(space={"smoothing": Range(1, 50, log=True)})
    return TuneSettings(
        **{"workspace": str(workspace.root), "data": data, "candidate": candidate, "trials": 3} | changed
    )


def replayed(workspace: Workspace, **words: Any) -> Outcome:
    return replay(ReplaySettings(workspace=str(workspace.root), **words))


def rewrite(workspace: Workspace, run_id: str, name: str, change: Callable[[Any], None]) -> Callable[[], None]:
    """Change a file of a run behind its back; return what changes it back."""
    path = next(workspace.artifacts.rglob(f"{run_id}/artifacts/{name}"))
    before = path.read_text()
    content = json.loads(before)
    change(content)
    path.write_text(json.dumps(content))
    return lambda: [path.write_text(before), None][-1]


def differing(outcome: Outcome) -> list[str]:
    return [one["what"] for one in outcome.result["differences"]]  # type: ignore[attr-defined]


def test_a_run_agrees_with_its_record_and_nothing_is_written(tuned: tuple[Workspace, dict[str, Any]]) -> None:
    workspace, answered = tuned
    store = ModelStore(workspace)
    before = [run.info.end_time for run in store.client.search_runs([store.experiment("credit_score")])]
    outcome = replayed(workspace, run=answered["run_id"][:10])
    assert outcome.exit_code is ExitCode.DONE
    assert (outcome.result["trials"], outcome.result["versions"], differing(outcome)) == (3, [1], [])
    assert outcome.result["environment"] == []
    assert outcome.result["compared"] > 100  # type: ignore[operator]
    assert [run.info.end_time for run in store.client.search_runs([store.experiment("credit_score")])] == before
    assert len(store.versions("credit_score")) == 1


def test_a_version_is_replayed_with_its_own_trial_alone_where_that_is_asked(
    tuned: tuple[Workspace, dict[str, Any]],
) -> None:
    outcome = replayed(tuned[0], version=1, trials=Extent.registered)
    assert (outcome.exit_code, outcome.result["trials"], outcome.result["versions"]) == (ExitCode.DONE, 1, [1])


def test_a_doctored_trial_is_named_with_both_values(tuned: tuple[Workspace, dict[str, Any]]) -> None:
    workspace, answered = tuned

    def improve(trials: Any) -> None:
        trials[1]["value"] = 0.99

    undo = rewrite(workspace, answered["run_id"], "trials.json", improve)
    outcome = replayed(workspace, run=answered["run_id"])
    undo()
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    assert differing(outcome) == ["trial 1.cv_auc", "run.best_cv_auc"]
    assert outcome.result["differences"][0]["recorded"] == "0.99"  # type: ignore[index]
    assert "the environment is the recorded one" in str(outcome.summary[-1])


def test_a_flipped_digit_of_the_stored_model_is_named(tuned: tuple[Workspace, dict[str, Any]]) -> None:
    workspace, answered = tuned
    path = next(workspace.artifacts.rglob("artifacts/model/scorecard.json"))
    before = path.read_text()
    table = json.loads(before)
    table["columns"][0]["weights"][1] += 1e-16 + abs(table["columns"][0]["weights"][1]) * 2**-52
    path.write_text(json.dumps(table))
    outcome = replayed(workspace, run=answered["run_id"], trials=Extent.registered)
    path.write_text(before)
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    assert differing(outcome) == ["version 1/artifacts/model/scorecard.json.columns[0].weights[1]"]


def test_a_record_made_elsewhere_agrees_and_names_what_its_environment_had(
    tuned: tuple[Workspace, dict[str, Any]],
) -> None:
    workspace, answered = tuned

    def older(made_with: Any) -> None:
        made_with["packages"]["numpy"] = "1.26.4"
        made_with["cores"] = 128

    undo = rewrite(workspace, answered["run_id"], "provenance.json", older)
    outcome = replayed(workspace, run=answered["run_id"], trials=Extent.registered)
    undo()
    assert outcome.exit_code is ExitCode.DONE
    named = {one["what"]: one["recorded"] for one in outcome.result["environment"]}  # type: ignore[attr-defined]
    assert named == {"environment.packages.numpy": '"1.26.4"', "environment.cores": "128"}


def test_other_data_is_named_and_nothing_is_computed_on_it(
    tuned: tuple[Workspace, dict[str, Any]], tmp_path: Path, german_table: Any
) -> None:
    workspace, answered = tuned
    moved = tmp_path / "moved.csv"
    german_table.to_csv(moved, index=False)
    same = replayed(workspace, run=answered["run_id"], trials=Extent.registered, data=MovedData(path=str(moved)))
    assert same.exit_code is ExitCode.DONE
    german_table.head(990).to_csv(moved, index=False)
    other = replayed(workspace, run=answered["run_id"], data=MovedData(path=str(moved)))
    assert other.exit_code is ExitCode.ANSWER_IS_NO
    assert {"data.fingerprint", "data.rows"} <= set(differing(other))
    assert not any(what.startswith("trial") for what in differing(other))
    with pytest.raises(DataError, match=r"data\.path is .* where there is no table"):
        replayed(workspace, run=answered["run_id"], data=MovedData(path=str(tmp_path / "gone.csv")))


def test_what_cannot_be_replayed_is_said(tuned: tuple[Workspace, dict[str, Any]]) -> None:
    workspace, answered = tuned
    with pytest.raises(ConfigurationError, match="one of run, version and decision, received none"):
        replayed(workspace)
    with pytest.raises(ConfigurationError, match="received run and version"):
        replayed(workspace, run="a", version=1)
    with pytest.raises(RequestError, match="run 'zz' is not a study's run; give one of: " + answered["run_id"]):
        replayed(workspace, run="zz")
    store = ModelStore(workspace)
    trials = store.client.search_runs([store.experiment("credit_score")], "tags.`thinfile.kind` = 'trial'")
    with pytest.raises(RequestError, match="is not a study's run"):
        replayed(workspace, run=trials[0].info.run_id)
    path = next(workspace.artifacts.rglob(f"{answered['run_id']}/artifacts/trials.json"))
    before = path.read_text()
    path.unlink()
    with pytest.raises(RequestError, match=r"has no trials\.json: its search has not ended"):
        replayed(workspace, run=answered["run_id"])
    path.write_text(before)


def test_an_id_that_looks_like_a_number_is_an_id(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("experiments.cli._replay", lambda settings: Outcome({"run": settings.run}))
        for word in ("35979e62", "01234567", "12345678"):
            assert main(["replay", f"run={word}", "output=json"]) == 0
            assert json.loads(capsys.readouterr().out)["run"] == word


@pytest.mark.integration
def test_asked_again_a_study_keeps_the_environment_that_made_it(workspace: Workspace) -> None:
    run_id = str(tune(asked(workspace, trials=2)).result["run_id"])

    def older(made_with: Any) -> None:
        made_with["python"] = "3.9.1"

    rewrite(workspace, run_id, "provenance.json", older)
    tune(asked(workspace, trials=2))
    store = ModelStore(workspace)
    assert RunRecord.read(store, run_id).environment["python"] == "3.9.1"
    tune(asked(workspace, trials=3))
    record = RunRecord.read(store, run_id)
    assert record.environment["python"] == provenance(2)["python"]
    assert [one["python"] for one in record.environment["earlier"]] == ["3.9.1"]
    assert (record.config["trials"], len(record.trials)) == (3, 3)


def test_environments_that_differ_by_the_command_alone_are_one() -> None:
    now = {"python": "3.11", "command": "tune trials=3"}
    assert joined_environments(now, now | {"command": "tune trials=9"}) == now


@pytest.mark.parametrize("family", ["scorecard", "hist_gradient_boosting"])
def test_settings_survive_the_record(family: str, workspace: Workspace) -> None:
    candidate = ScorecardSettings() if family == "scorecard" else HistGradientBoostingSettings()
    settings = asked(workspace, candidate=candidate, seed=7)
    settings.data.meanings = {"purpose": "what the credit is for"}
    record = json.loads(json.dumps(to_json_values(settings)))
    record["candidate"]["family"] = family
    assert settings_of(record) == settings
    with pytest.raises(RequestError, match="check out the commit"):
        settings_of(record | {"from_the_future": 1})


@pytest.mark.parametrize(
    ("recorded", "now", "named"),
    [
        (0.1 + 0.2, 0.3, ["x"]),
        ({"a": float("nan")}, {"a": float("nan")}, []),
        ({"a": 1}, {"a": 1, "b": []}, ["x.b"]),
        ([1, 2], [1], ["x[1]"]),
        ({"a": 1}, {"a": 1.0}, ["x.a"]),
        ({"a": -0.0}, {"a": 0.0}, ["x.a"]),
    ],
)
def test_records_agree_bit_for_bit_or_the_place_is_named(recorded: object, now: object, named: list[str]) -> None:
    assert [one.what for one in compare_records("x", recorded, now).differences] == named
