"""Approve, apply and roll back: refused unless policy, evidence, model and approvals are in order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import thinfile
from experiments.evidence.evidence_files import evidence_path
from experiments.promotion import actions as deciding
from experiments.promotion.actions import PromotionRefused
from experiments.promotion.ledger import PromotionConflict
from experiments.promotion.settings import PromoteAction
from pipelines.command.verb import ExitCode
from pipelines.errors import RequestError
from pipelines.ledger import approvals
from pipelines.ledger.approvals import ApprovalRefused
from pipelines.model_store.files import FILES
from pipelines.policy.pack import ApprovalSettings, GateSettings, PolicySettings
from pipelines.storage import chain
from tests.experiments.ledgers import Book, flip, said_by_registry

Do = Callable[..., dict[str, Any]]


@pytest.fixture
def approve(book: Book) -> Do:
    """Approve as a command does and return its answer."""
    return lambda **told: dict(deciding.approve(book.settings(PromoteAction.approve, **told)).result)


@pytest.fixture
def apply(book: Book) -> Do:
    """Apply as a command does and return its answer."""
    return lambda **told: dict(deciding.apply(book.settings(PromoteAction.apply, **told)).result)


@pytest.fixture
def folder(book: Book) -> Path:
    """The files of version 1."""
    return book.store.download(book.version(1))


def is_called(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(approvals, "account", lambda: name)


def test_what_needs_nobodys_approval_is_applied_and_once(book: Book, apply: Do) -> None:
    request = book.ask(1)
    assert apply()["request"] == request
    assert apply() == apply(request=request)
    assert said_by_registry(book.store, book.model) == (1, {1: "champion"})


def test_there_must_be_a_request(book: Book, apply: Do) -> None:
    with pytest.raises(RequestError, match="no open request"):
        apply()
    book.ask(1, passed=False)
    with pytest.raises(RequestError, match="no open request"):
        apply()
    with pytest.raises(RequestError, match="entry 1 of the ledger is not a request"):
        apply(request=1)


def test_another_policy_than_that_of_the_request_is_refused(book: Book, apply: Do, approve: Do) -> None:
    book.ask(1)
    for do in (apply, approve):
        with pytest.raises(PromotionRefused, match="is not that of request 1, 'default'"):
            do(policy=PolicySettings(approve_from=600))


@contextmanager
def written(ago: timedelta) -> Iterator[None]:
    """Let the clock of the ledger be some time behind."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) - ago

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "datetime", Clock)
        yield


@pytest.mark.parametrize("age", [timedelta(days=31), timedelta(days=-1)], ids=["stale", "from the future"])
def test_evidence_must_be_of_these_days(book: Book, apply: Do, age: timedelta) -> None:
    with written(age):
        book.ask(1, made_at="2026-01-01T00:00:00+00:00")
    with pytest.raises(PromotionRefused, match=r"of request 1 was made at .* and must be from the last 30 days"):
        apply()
    # the same evidence can be requested again, as an entry of its own
    assert book.ask(1, made_at="2026-01-01T00:00:00+00:00") == 2
    assert book.ask(1, made_at="2026-01-01T00:00:00+00:00") == 2
    assert apply()["request"] == 2


@pytest.mark.parametrize("place", [0, 5, -1])
def test_a_flipped_bit_of_the_evidence_is_refused(book: Book, apply: Do, approve: Do, place: int) -> None:
    request = book.ask(1)
    evidence = str(evidence_path(str(book.open().state.requests[request].content["evidence_hash"])))
    path = book.store.attached(book.version(1), evidence)
    assert path is not None
    flip(path, place)
    for do in (apply, approve):
        with pytest.raises(PromotionRefused, match=r"promotion/.*json was changed"):
            do()
    path.unlink()
    with pytest.raises(PromotionRefused, match=r"promotion/.*json is missing"):
        apply()
    (finding,) = book.findings()
    assert "is missing" in finding


@pytest.mark.parametrize("file", ["MLmodel", "served_model.py", str(FILES / "model.json")])
def test_a_flipped_bit_of_the_model_is_refused(book: Book, apply: Do, folder: Path, file: str) -> None:
    book.ask(1)
    flip(folder / file)
    with pytest.raises(PromotionRefused, match=f"its file {file} was changed after the request"):
        apply()


@pytest.mark.parametrize("file", [str(FILES / "more.json"), "__pycache__/served_model.cpython-311.pyc", "code.py"])
def test_a_file_added_to_the_model_is_refused(book: Book, apply: Do, folder: Path, file: str) -> None:
    book.ask(1)
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text("{}")
    with pytest.raises(PromotionRefused, match=f"its file {file} was added after the request"):
        apply()


def test_what_is_attached_to_a_version_is_as_it_was_at_the_request(book: Book, apply: Do, tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").write_text("{}")
    book.store.attach(book.version(1), tmp_path)
    book.ask(1)
    path = book.store.attached(book.version(1), "evaluation.json")
    assert path is not None
    flip(path)
    with pytest.raises(PromotionRefused, match=r"its file evaluation\.json was changed after the request"):
        apply()
    path.unlink()
    with pytest.raises(PromotionRefused, match=r"its file evaluation\.json is missing"):
        apply()


def test_nothing_is_rolled_back_to_changed_files(book: Book, folder: Path) -> None:
    book.promote(1)
    book.promote(2)
    flip(folder / FILES / "model.json")
    with pytest.raises(PromotionRefused, match="version 1 was changed: its file artifacts"):
        book.roll_back(why="complaints")
    assert said_by_registry(book.store, book.model)[0] == 2
    (finding,) = book.findings()
    assert "entry 1, version 1: its file artifacts/model/model.json was changed after the request" in finding


def test_one_other_person_must_agree(book: Book, apply: Do, approve: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = PolicySettings(approvals=ApprovalSettings(people=1, requester_may_approve=False))
    book.ask(1, policy=policy)
    with pytest.raises(PromotionRefused, match=r"request 1 has 0 of the 1 approvals that policy .* requires"):
        apply(policy=policy)
    with pytest.raises(ApprovalRefused, match="made request 1 and may not approve it under this policy"):
        approve(policy=policy)
    is_called(monkeypatch, "bert")
    answer = approve(policy=policy)
    assert (answer["by"], answer["authenticated"], answer["approvals"]) == ("bert", False, 1)
    assert approve(policy=policy) == answer
    assert apply(policy=policy)["version"] == 1


def test_an_approval_of_a_closed_request_is_a_conflict(book: Book, approve: Do) -> None:
    first, second = book.ask(1), book.ask(2)
    book.open().promote(second)
    with pytest.raises(PromotionConflict, match=f"request {first} is closed"):
        approve(request=first)


@pytest.mark.integration
def test_the_command_line_asks_the_right_action(book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    book.promote(1)
    book.ask(2)
    words = [f"workspace={book.store.workspace.root}", f"model={book.model}"]
    assert thinfile.main(["promote", "approve", "why=seen", *words]) == ExitCode.DONE
    assert "unauthenticated" in capsys.readouterr().out
    assert thinfile.main(["promote", "apply", *words]) == ExitCode.DONE
    assert thinfile.main(["promote", "rollback", "why=complaints", *words]) == ExitCode.DONE
    assert thinfile.main(["promote", "history", *words]) == ExitCode.DONE
    told = capsys.readouterr().out
    assert all(word in told for word in ("requested", "approved", "unauthenticated", "rolled_back", "complaints"))
    assert thinfile.main(["promote", "verify", *words]) == ExitCode.DONE
    assert "VERIFIED" in capsys.readouterr().out
    book.tamper("update chain set written_at = '2020' where sequence = 1")
    assert thinfile.main(["promote", "verify", *words]) == ExitCode.ANSWER_IS_NO
    assert "entry 1 is not what was written" in capsys.readouterr().out
    assert thinfile.main(["promote", "history", *words]) == ExitCode.ANSWER_IS_NO


def test_the_age_of_evidence_is_the_policys(book: Book, apply: Do) -> None:
    policy = PolicySettings(gates=GateSettings(evidence_days=60))
    with written(timedelta(days=59)):
        book.ask(1, policy=policy)
    assert apply(policy=policy)["version"] == 1
