"""Every verb acts on the champion that the ledger names, and says what contradicts it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.batch.score import score
from pipelines.command.verb import ExitCode, Outcome
from pipelines.errors import RequestError
from pipelines.ledger.champion import (
    ChampionDisputed,
    FollowedLedger,
    dispute_of,
    disputed_champion,
    proven_champion,
    with_dispute,
)
from pipelines.model_store.files import FILES
from pipelines.model_store.promotions import promotions_of
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHAMPION, LEDGER_HEAD, MODEL_HASH
from pipelines.storage.chain import ChainBroken
from pipelines.storage.workspace import Workspace
from tests.pipelines.batch.conftest import applications, made, settings, written
from tests.pipelines.candidates.test_conformance import trained
from tests.pipelines.model_store.champions import crown, make_champion

MODEL = "credit_score"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which version 1 was champion and version 2 is."""
    folder = tmp_path_factory.mktemp("ledger")
    bench = made(folder, "scorecard")
    make_champion(ModelStore(bench.workspace), trained("hist_gradient_boosting"), folder / "second")
    return bench.workspace.root


@pytest.fixture
def store(two: Path) -> ModelStore:
    """The store of that workspace; what a test did to the registry is undone by the next promotion."""
    store = ModelStore(Workspace(two))
    crown(store, store.version(MODEL, 2))
    return store


def moved(store: ModelStore) -> None:
    store.set_alias(store.version(MODEL, 1), CHAMPION)


def removed(store: ModelStore) -> None:
    store.client.delete_registered_model_alias(MODEL, CHAMPION)


def retagged(store: ModelStore) -> None:
    store.tag(store.version(MODEL, 2), {MODEL_HASH: "0" * 64})


def untagged(store: ModelStore) -> None:
    store.client.delete_model_version_tag(MODEL, "2", MODEL_HASH)


def test_the_champion_of_the_ledger_is_proven(store: ModelStore) -> None:
    champion = proven_champion(store, MODEL)
    assert (champion.version, dispute_of(store, MODEL)) == (2, "")


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (moved, "MLflow's alias 'champion' names version 1"),
        (removed, "MLflow's alias 'champion' names no version"),
        (retagged, "its tag thinfile.model_hash in MLflow is '000000000000'"),
        (untagged, "its tag thinfile.model_hash in MLflow is 'missing'"),
    ],
)
def test_what_contradicts_the_ledger_is_told_with_its_time_and_its_remedy(
    store: ModelStore, attack: Callable[[ModelStore], None], said: str
) -> None:
    attack(store)
    found = disputed_champion(store, MODEL)
    assert found.registered.version == 2
    for part in (said, "the ledger names version 2 since 20", "thinfile promote rollback version=2 why=..."):
        assert part in found.dispute
    with pytest.raises(ChampionDisputed, match="the ledger names version 2"):
        proven_champion(store, MODEL)


def test_a_changed_file_of_the_champion_is_named(store: ModelStore) -> None:
    file = store.download(store.version(MODEL, 2)) / FILES / "model.json"
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"1", b"2", 1))
    try:
        with pytest.raises(ChampionDisputed, match=r"the files of version 2, champion since .*model.json"):
            proven_champion(store, MODEL)
    finally:
        file.write_bytes(whole)


def planted_pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def planted_bytes(folder: Path) -> None:
    (Path(os.fsdecode(os.fsencode(folder) + b"/\xff.pyc"))).write_bytes(b"x")


def planted_lines(folder: Path) -> None:
    (folder / "a\nVERIFIED.pyc").write_bytes(b"x")


def planted_link(folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent)


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (shutil.rmtree, "cannot be read: the files of credit_score version 2 cannot be read"),
        (planted_pipe, "cannot be read: the model's folder holds '.*pipe', which is neither a file nor a folder"),
        (planted_bytes, r"cannot be read: the model's folder holds '.*\\udcff.pyc', a name that no model has"),
        (planted_lines, r"cannot be read: the model's folder holds '.*a\\nVERIFIED.pyc', a name that no model has"),
        (planted_link, "cannot be read: the model's folder holds '.*link', which is neither a file nor a folder"),
    ],
)
def test_a_folder_that_cannot_be_read_is_a_dispute_like_a_changed_file(
    store: ModelStore, attack: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    folder = store.download(store.version(MODEL, 2))
    shutil.copytree(folder, tmp_path / "whole")
    attack(folder)
    try:
        with pytest.raises(ChampionDisputed, match=f"the files of version 2, champion since .*, {said}.*; restore"):
            proven_champion(store, MODEL)
    finally:
        shutil.rmtree(os.fsencode(folder), ignore_errors=True)
        shutil.copytree(tmp_path / "whole", folder)


def test_a_promotion_whose_request_failed_a_gate_is_not_proven(store: ModelStore) -> None:
    # given a promotion that was written into the ledger for a version that a gate refused
    gates = [{"gate": "discrimination", "passed": False, "blocking": True}]
    crown(store, store.version(MODEL, 1), evidence={"gates": gates})
    with pytest.raises(ChampionDisputed, match=r"names version 1 since .*, although it failed the gate 'discriminat"):
        proven_champion(store, MODEL)
    assert FollowedLedger(store, MODEL).last_proven().registered.version == 2


def test_a_scored_table_is_refused_and_nothing_is_written(store: ModelStore, tmp_path: Path) -> None:
    bench = made(tmp_path, "scorecard")
    own = ModelStore(bench.workspace)
    make_champion(own, trained("hist_gradient_boosting"), tmp_path / "second")
    own.set_alias(own.version(MODEL, 1), CHAMPION)
    told = settings(bench, input=str(written(applications(20), tmp_path / "table.parquet")))
    with pytest.raises(ChampionDisputed) as refused:
        score(told)
    assert refused.value.exit_code == 3
    assert not bench.workspace.score_log.exists()


def test_a_promotion_that_was_killed_before_its_alias_moved_is_completed(store: ModelStore) -> None:
    # given the entry of a promotion that was written, and nothing after it
    before = promotions_of(store.workspace, MODEL).entries()
    crown(store, store.version(MODEL, 1))
    after = promotions_of(store.workspace, MODEL).entries()
    store.set_alias(store.version(MODEL, 2), CHAMPION)
    store.client.set_registered_model_tag(MODEL, LEDGER_HEAD, f"{after[-2].sequence} {after[-2].hash}")
    # when the champion is asked for
    found = proven_champion(store, MODEL)
    # then it is the one of the ledger, and MLflow has followed
    assert len(after) == len(before) + 2
    assert (found.version, store.standing(MODEL)[0]) == (1, {CHAMPION: 1})


def test_a_follower_reads_new_entries_alone(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    followed, read = FollowedLedger(store, MODEL), []
    assert followed.champion().registered.version == 2
    newer = followed._chain.newer_than
    monkeypatch.setattr(followed._chain, "newer_than", lambda last: read.append(new := newer(last)) or new)
    followed.champion()
    crown(store, store.version(MODEL, 1))
    assert followed.champion().registered.version == 1
    assert [len(new) for new in read] == [0, 2]


def test_an_alias_without_a_ledger_is_no_champion(tmp_path: Path) -> None:
    bench = made(tmp_path, "scorecard")
    (bench.workspace.root / "chain.db").unlink()
    store = ModelStore(bench.workspace)
    store.client.delete_registered_model_tag(MODEL, LEDGER_HEAD)
    with pytest.raises(ChampionDisputed, match="names version 1 of 'credit_score', and the ledger has promoted none"):
        proven_champion(store, MODEL)


def test_a_lost_ledger_is_told(tmp_path: Path) -> None:
    bench = made(tmp_path, "scorecard")
    (bench.workspace.root / "chain.db").unlink()
    with pytest.raises(ChainBroken, match="has 0 entries, and the registry's copy of its head is entry 2"):
        proven_champion(ModelStore(bench.workspace), MODEL)


def test_a_deleted_champion_is_told(tmp_path: Path) -> None:
    store = ModelStore(made(tmp_path, "scorecard").workspace)
    shutil.rmtree(store.download(store.version(MODEL, 1)))
    store.client.delete_model_version(MODEL, "1")
    with pytest.raises(ChampionDisputed, match=r"version 1 was deleted in MLflow; .* promote rollback version=N"):
        proven_champion(store, MODEL)


def test_without_a_champion_the_next_step_is_told(store: ModelStore) -> None:
    with pytest.raises(RequestError, match="model 'another' has no champion"):
        proven_champion(store, "another")
    with pytest.raises(RequestError, match="has no champion; did you mean credit_score"):
        proven_champion(store, "credit_scores")
    with pytest.raises(RequestError, match="no champion"):
        proven_champion(store, "it's")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (ExitCode.DONE, ExitCode.ANSWER_IS_NO),
        (ExitCode.ANSWER_IS_NO, ExitCode.ANSWER_IS_NO),
        (ExitCode.FAILED, ExitCode.FAILED),
    ],
)
def test_the_first_line_of_a_disputed_outcome_says_so(code: ExitCode, expected: ExitCode) -> None:
    outcome = with_dispute(Outcome({"rows": 1}, ["a report"], exit_code=code), "they differ")
    assert outcome.summary == ["CHAMPION DISPUTED: they differ", "a report"]
    assert (outcome.exit_code, outcome.result["champion_disputed"]) == (expected, "they differ")
    assert with_dispute(outcome, "") is outcome
