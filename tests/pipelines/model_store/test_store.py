"""Runs and versions: one of each, however often and from however many sides they are asked for."""

import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from pipelines.errors import RequestError, ThinfileError
from pipelines.model_store.files import model_hash
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHALLENGER, CHAMPION, CONFIG, EVALUATION, MODEL_HASH, STUDY, TRIAL


@pytest.fixture
def experiment(store: ModelStore, request: pytest.FixtureRequest) -> str:
    return store.experiment(request.node.name)


def tags_of(trial: int) -> dict[str, str]:
    return {STUDY: "a study", TRIAL: str(trial)}


@pytest.fixture
def register(
    store: ModelStore, experiment: str, saved: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> "Register":
    return Register(store, experiment, saved, tmp_path, request.node.name)


class Register:
    """Registers the saved model under the name of the test."""

    def __init__(self, store: ModelStore, experiment: str, saved: Path, scratch: Path, name: str) -> None:
        self.store, self.experiment, self.saved, self.scratch, self.name = store, experiment, saved, scratch, name
        self.run = store.open_run(experiment, "a run", {"kind": "a kind"})

    def __call__(self, trial: int) -> RegisteredModel:
        folder = copytree(self.saved, self.scratch / f"model {trial}", dirs_exist_ok=True)
        return self.store.register(
            self.name, experiment=self.experiment, run_id=self.run, model_folder=folder, tags=tags_of(trial)
        )


def test_an_experiment_is_one_however_often_it_is_asked_for(store: ModelStore) -> None:
    assert store.experiment("one") == store.experiment("one") != store.experiment("another")


def test_a_run_is_one_however_often_it_is_opened(store: ModelStore, experiment: str) -> None:
    tags = {STUDY: "a", TRIAL: "1"}
    first = store.open_run(experiment, "trial 1", tags)
    store.close_run(first)
    assert store.is_finished(experiment, tags)
    # when it is opened again, it runs again, and is the same
    assert store.open_run(experiment, "trial 1", tags) == first
    assert not store.is_finished(experiment, tags)
    assert [run.info.run_id for run in store.running(experiment)] == [first]
    # and others are others
    assert store.open_run(experiment, "trial 2", tags | {TRIAL: "2"}, parent=first) != first
    assert len(store.client.search_runs([experiment])) == 2


def test_a_run_knows_its_parent(store: ModelStore, experiment: str) -> None:
    parent = store.open_run(experiment, "a study", {"kind": "study"})
    child = store.open_run(experiment, "a trial", {"kind": "trial"}, parent=parent)
    assert store.client.get_run(child).data.tags["mlflow.parentRunId"] == parent


def test_what_is_logged_twice_is_there_once(store: ModelStore, experiment: str) -> None:
    run = store.open_run(experiment, "a run", {"kind": "a"})
    for _ in range(2):
        store.log(run, metrics={"auc": 0.75}, parameters={"depth": 6}, tags={"note": "x"})
    found = store.client.get_run(run).data
    assert (found.metrics, found.params, found.tags["note"]) == ({"auc": 0.75}, {"depth": "6"}, "x")


def test_a_trace_goes_on_where_it_stopped(store: ModelStore, experiment: str) -> None:
    run = store.open_run(experiment, "a run", {"kind": "a"})
    for values in ([0.5], [0.5, 0.6, 0.7], [0.5, 0.6, 0.7]):
        store.log_trace(run, "best", values)
    history = store.client.get_metric_history(run, "best")
    assert sorted((point.step, point.value) for point in history) == [(0, 0.5), (1, 0.6), (2, 0.7)]


def test_a_model_registered_twice_is_one_version(store: ModelStore, register: Register) -> None:
    first, again = register(1), register(1)
    assert first.version == again.version == 1
    assert first.tags == tags_of(1) | {MODEL_HASH: model_hash(store.download(first))}
    assert register(2).version == 2
    assert [one.version for one in store.versions(register.name)] == [1, 2]
    assert len(list(store.client.search_logged_models([register.experiment]))) == 2


def test_a_registration_that_was_interrupted_is_completed(store: ModelStore, register: Register) -> None:
    # given a logged model without its files and without a version: killed half-way
    left = store.client.create_logged_model(register.experiment, "model", register.run, tags=tags_of(1))
    # when the same command runs again
    found = register(1)
    # then that very model is completed
    assert store.download(found).as_uri() == left.artifact_location
    assert (store.download(found) / "MLmodel").is_file()
    assert len(list(store.client.search_logged_models([register.experiment]))) == 1


def test_an_alias_names_one_version_at_a_time(store: ModelStore, register: Register) -> None:
    first, second = register(1), register(2)
    store.set_alias(first, CHAMPION)
    store.set_alias(first, CHALLENGER)
    store.set_alias(second, CHAMPION)
    found = {one.version: set(one.aliases) for one in store.versions(register.name)}
    assert found == {1: {CHALLENGER}, 2: {CHAMPION}}
    assert store.standing(register.name) == ({CHALLENGER: 1, CHAMPION: 2}, {})
    assert store.aliased(register.name, "nobody") is None


def test_a_version_is_found_by_what_is_known_of_it(store: ModelStore, register: Register) -> None:
    register(1)
    second = register(2)
    assert store.find_version(register.name, {TRIAL: "2"}) == second
    assert store.find_version(register.name, {TRIAL: "3"}) is None
    assert store.version(register.name, 2) == second
    with pytest.raises(RequestError, match=r"no version 9 of model '.*' \(known: 1, 2\); `thinfile compare` lists"):
        store.version(register.name, 9)


def test_two_workers_that_log_a_trial_at_once_write_the_same_bytes(store: ModelStore, register: Register) -> None:
    # given a registered version, and a second worker that saved the same model and found the first one's logged model
    first = register(1)
    store.client.delete_model_version(first.name, str(first.version))
    # when
    second = register(1)
    # then
    assert (second.model_id, second.tags) == (first.model_id, first.tags)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A folder with a note, and one in a folder of its own."""
    folder = tmp_path / "notes"
    (folder / "more").mkdir(parents=True)
    (folder / "note.txt").write_text("a note")
    (folder / "more" / "another.txt").write_text("another")
    return folder


def test_files_are_attached_apart_from_the_model(store: ModelStore, register: Register, notes: Path) -> None:
    found = register(1)
    assert (store.attached(found, "note.txt"), store.attached_names(found)) == (None, [])
    store.attach(found, notes)
    path = store.attached(found, "note.txt")
    assert path is not None
    assert path.read_text() == "a note"
    assert store.attached_names(found) == ["more/another.txt", "note.txt"]
    assert store.attached(found, "more/none.txt") is None
    assert model_hash(store.download(found)) == found.tags[MODEL_HASH]
    assert store.attached_names(register(2)) == []


@pytest.mark.parametrize("run_id", [None, "0" * 32], ids=["no run", "a run that is gone"])
def test_files_are_attached_to_a_version_without_a_run(
    store: ModelStore, register: Register, notes: Path, run_id: str | None
) -> None:
    found = replace(register(1), run_id=run_id, model_id=None)
    assert store.attached_names(found) == []
    for _ in range(2):
        store.attach(found, notes)
        assert store.attached_names(found) == ["more/another.txt", "note.txt"]
    assert store.attached_names(replace(found, version=2)) == []


def test_a_runs_record_is_read_back(store: ModelStore, experiment: str, tmp_path: Path) -> None:
    run = store.open_run(experiment, "a run", {"kind": "a"})
    assert store.read_record(run) is None
    assert store.read_record(None) is None
    (tmp_path / "config.json").write_text(json.dumps({"trials": 3}))
    store.log_files(run, tmp_path)
    assert store.read_record(run) == {"trials": 3}


def test_a_model_without_its_files_is_told(store: ModelStore, register: Register) -> None:
    found = register(1)
    rmtree(store.download(found))
    with pytest.raises(ThinfileError, match=r"version 1 cannot be read \(.*\); restore"):
        store.download(found)


@pytest.mark.parametrize("content", ["{", "7", "null", "[]", "\\xff"])
def test_a_record_that_somebody_edited_is_named(register: "Register", store: ModelStore, content: str) -> None:
    register.scratch.mkdir(exist_ok=True)
    folder = register.scratch / "records"
    folder.mkdir()
    (folder / CONFIG).write_text(content)
    store.log_files(register.run, folder)
    with pytest.raises(ThinfileError, match=f"the file {CONFIG} of run {register.run} is not what Thinfile wrote"):
        store.read_record(register.run)


@pytest.mark.parametrize("content", ["{", "7", "null"])
def test_an_evaluation_that_somebody_edited_is_named(register: "Register", content: str) -> None:
    edited = replace(register(1), tags={EVALUATION: content})
    with pytest.raises(ThinfileError, match=f"the tag {EVALUATION} of .* version 1 is not what Thinfile wrote"):
        _ = edited.evaluation
    assert replace(edited, tags={}).evaluation == {}
