"""A lost database of MLflow, or of the ledger, is noticed with one message; what is proven is registered again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import thinfile as program
from experiments.promotion.rebuild import NumberTaken, rebuild
from experiments.promotion.settings import PromoteAction
from experiments.promotion.verify import verify
from pipelines.command.verb import ExitCode, Outcome, attempt
from pipelines.errors import RequestError
from pipelines.model_store.files import FILES
from pipelines.model_store.promotions import RegistryLost, highest_given, require_known_numbers
from pipelines.model_store.store import ModelStore, existing_store
from pipelines.model_store.tags import CHALLENGER, STUDY, TRIAL
from pipelines.storage.workspace import Workspace
from tests.conftest import Answer
from tests.experiments.ledgers import Book, registered, said_by_registry

MODEL = "lost"


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """Version 2 is champion after 1, 3 was refused, 5 is requested; 4 and 6 were never judged."""
    book = Book(ModelStore(Workspace(tmp_path / "first")), MODEL)
    book.promote(1)
    book.promote(2)
    book.ask(3, passed=False)
    book.ask(5)
    book.version(6)
    return book


def copied(book: Book, name: str, *, without: str) -> Workspace:
    """Return a copy of a workspace without one of its databases."""
    root = book.store.workspace.root
    target = root.with_name(name)
    shutil.copytree(root, target, ignore=shutil.ignore_patterns(f"{without}*"))
    return Workspace(target)


@pytest.fixture
def lost(book: Book) -> Workspace:
    """The workspace without MLflow's database."""
    return copied(book, "lost", without="mlflow.db")


def rebuilt(workspace: Workspace) -> Outcome:
    return attempt(rebuild, Book(ModelStore(workspace), MODEL).settings(PromoteAction.rebuild))


@pytest.mark.parametrize(
    "command",
    [
        ["promote"],
        ["promote", "verify"],
        ["promote", "history"],
        ["promote", "apply"],
        ["promote", "rollback", "why=x"],
        ["compare"],
        ["score", "data=german_credit", "period=2026-10"],
        ["serve"],
        ["watch", "period=2026-10"],
        ["tune", "data=german_credit", "trials=1", "candidate=scorecard"],
    ],
    ids=" ".join,
)
def test_every_verb_notices_the_loss_with_one_message(
    command: list[str], lost: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main([*command, f"model={MODEL}", f"workspace={lost.root}"]) == ExitCode.ANSWER_IS_NO
    printed = capsys.readouterr()
    assert (
        f"the ledger of '{MODEL}' has decisions about versions up to 5, and MLflow has never had a version of it: "
        "MLflow's database was lost or is an older copy; restore it, or register the versions again with `thinfile "
        f"promote rebuild workspace={lost.root} model={MODEL}`"
    ) in printed.out + printed.err
    assert not lost.mlflow.exists()


def test_versions_never_restart_at_1(lost: Workspace) -> None:
    store = ModelStore(lost)
    with pytest.raises(RegistryLost, match="versions up to 5"):
        registered(store, MODEL, 1)
    assert store.versions(MODEL) == []


def test_what_is_proven_is_registered_again(book: Book, lost: Workspace) -> None:
    # when
    outcome = rebuilt(lost)
    # then the versions have their numbers, and the number of one without a decision is used up
    assert outcome.result["restored"] == [1, 2, 3, 5]
    assert (outcome.result["unknown"], outcome.result["lacking"], outcome.exit_code) == ([4], {}, ExitCode.DONE)
    # and aliases, tags, models and evidence are those of the ledger
    store = ModelStore(lost)
    assert said_by_registry(store, MODEL) == said_by_registry(book.store, MODEL)
    again = Book(store, MODEL)
    assert again.findings() == []
    assert [one.version for one in store.versions(MODEL) if CHALLENGER in one.aliases] == [5]
    before = {one.version: {STUDY: one.tags[STUDY], TRIAL: one.tags[TRIAL]} for one in book.store.versions(MODEL)}
    assert {one.version: {key: one.tags[key] for key in (STUDY, TRIAL)} for one in store.versions(MODEL)} == {
        number: tags for number, tags in before.items() if number in (1, 2, 3, 5)
    }
    # and the next versions and decisions follow
    assert registered(store, MODEL, 7).version == 6
    again.open().promote(6)  # the request of version 5
    assert said_by_registry(store, MODEL)[0] == 5
    assert again.roll_back(why="complaints")["version"] == 2


def test_a_second_time_nothing_is_lost(lost: Workspace) -> None:
    rebuilt(lost)
    outcome = rebuilt(lost)
    assert outcome.result["restored"] == []
    assert str(outcome.summary[0]).startswith("NOTHING LOST")


@pytest.mark.parametrize("name", ["create_model_version", "log_artifacts", "set_registered_model_alias"])
@pytest.mark.parametrize("calls", [0, 1, 3])
def test_a_rebuild_that_was_killed_goes_on(
    book: Book, lost: Workspace, name: str, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a rebuild that dies at a call of MLflow
    made = []

    class Killed(BaseException):
        pass

    client = type(book.store.client)
    original = getattr(client, name)

    def dying(*arguments: object, **named: object) -> object:
        if len(made) == calls:
            raise Killed
        made.append(name)
        return original(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(client, name, dying)
        try:
            rebuilt(lost)
        except Killed:
            made.append("killed")
    # when it runs again
    rebuilt(lost)
    # then all is in order
    assert Book(ModelStore(lost), MODEL).findings() == []
    assert said_by_registry(ModelStore(lost), MODEL) == said_by_registry(book.store, MODEL)


def test_a_model_whose_files_are_lost_too_is_named_and_its_number_is_not_given_again(
    book: Book, lost: Workspace
) -> None:
    # given files that are no longer those of the ledger
    card = next(path for path in lost.artifacts.rglob(str(FILES / "model.json")) if '"version": 3' in path.read_text())
    card.write_text("{}")
    # when
    outcome = rebuilt(lost)
    # then
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    assert outcome.result["restored"] == [1, 2, 5]
    [(number, reason)] = dict(outcome.result["lacking"]).items()  # type: ignore[call-overload]
    assert (number, "has its hash" in reason) == ("3", True)
    assert [one.version for one in ModelStore(lost).versions(MODEL)] == [1, 2, 5]


def test_an_older_copy_of_the_database_gets_what_it_lacks(tmp_path: Path) -> None:
    book = Book(ModelStore(Workspace(tmp_path / "first")), MODEL)
    book.promote(1)
    older = copied(book, "older", without="chain.db")
    book.promote(2)
    for path in (*book.store.workspace.root.glob("chain*"), *book.store.workspace.root.glob("artifacts")):
        if path.is_dir():
            shutil.copytree(path, older.root / path.name, dirs_exist_ok=True)
        else:
            shutil.copy(path, older.root)
    with pytest.raises(RegistryLost, match="versions up to 2, and MLflow has numbered its versions up to 1"):
        existing_store(older, MODEL)
    assert rebuilt(older).result["restored"] == [2]
    assert Book(ModelStore(older), MODEL).findings() == []


def test_another_model_under_a_number_of_the_ledger_is_refused(
    lost: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a version that an earlier Thinfile registered after the loss
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.model_store.store.require_known_numbers", lambda *_: None)
        registered(ModelStore(lost), MODEL, 70)
    with pytest.raises(NumberTaken, match=r"version 1 of 'lost' has hash .* in MLflow and .* in the ledger"):
        rebuild(Book(ModelStore(lost), MODEL).settings(PromoteAction.rebuild))


def test_a_version_that_somebody_deleted_is_not_lost(book: Book) -> None:
    book.store.client.delete_model_version(MODEL, "6")
    book.store.client.delete_model_version(MODEL, "5")
    require_known_numbers(book.store.workspace, MODEL)
    assert registered(book.store, MODEL, 7).version == 7


def test_numbers_that_mlflow_gave_are_read_from_either_database(either_workspace: Workspace) -> None:
    store = ModelStore(either_workspace)
    assert highest_given(either_workspace, MODEL) == 0
    registered(store, MODEL, 1)
    registered(store, MODEL, 2)
    store.client.delete_model_version(MODEL, "2")
    assert (highest_given(either_workspace, MODEL), highest_given(either_workspace, "other")) == (2, 0)


def test_a_lost_ledger_is_noticed_with_one_message(book: Book) -> None:
    lost = copied(book, "without", without="chain")
    again = Book(ModelStore(lost), MODEL)
    outcome = attempt(verify, again.settings(PromoteAction.verify))
    [finding] = outcome.result["findings"]  # type: ignore[misc]
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    assert "the ledger of 'lost' has 0 entries, and the registry's copy of its head is entry 6" in finding
    with pytest.raises(RequestError, match="has no decisions, so nothing can be registered again"):
        rebuild(again.settings(PromoteAction.rebuild))


@pytest.mark.integration
def test_a_rebuilt_champion_is_verified_scored_and_replayed(
    thinfile: Callable[..., Answer], tmp_path: Path, german_table: pd.DataFrame
) -> None:
    # given a champion, and MLflow's database gone
    german_table.assign(application_id=range(len(german_table))).to_parquet(tmp_path / "loans.parquet")
    assert thinfile("tune", "data=german_credit", "candidate=scorecard", "trials=1").exit_code == 0
    assert thinfile("promote").exit_code == 0
    for path in (tmp_path / "workspace").glob("mlflow.db*"):
        path.unlink()
    score = ("score", "data=table", "data.path=loans.parquet", "data.id=application_id", "period=2026-10")
    assert thinfile(*score).exit_code == 3
    # when
    assert thinfile("promote", "rebuild").exit_code == 0
    # then
    assert thinfile("promote", "verify").exit_code == 0
    scored = thinfile(*score, "output=json")
    assert (scored.exit_code, scored.json["version"]) == (0, 1)
    replayed = thinfile("replay", "version=1", "output=json")
    assert (replayed.exit_code, replayed.json["agrees"]) == (0, True)
    again = thinfile("tune", "data=german_credit", "candidate=scorecard", "trials=1", "output=json")
    assert (again.json["version"], again.exit_code) == (1, 0)
    more = thinfile("tune", "data=german_credit", "candidate=scorecard", "trials=1", "seed=2", "output=json")
    assert more.json["version"] == 2
