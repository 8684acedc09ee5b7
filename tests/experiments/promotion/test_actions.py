"""Approve, apply and roll back: refused unless policy, evidence, model and approvals are in order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import thinfile
from experiments.evidence.evidence_files import evidence_path
from experiments.promotion import actions as deciding
from experiments.promotion import approvals
from experiments.promotion.actions import PromotionRefused
from experiments.promotion.approvals import ApprovalRefused
from experiments.promotion.ledger import PromotionConflict
from experiments.promotion.settings import PromoteAction
from experiments.promotion.signatures import SignatureRefused, message_of
from pipelines.command.verb import ExitCode
from pipelines.errors import ConfigurationError, RequestError
from pipelines.model_store.files import FILES
from pipelines.policy.pack import ApprovalSettings, GateSettings, PolicySettings
from tests.experiments.ledgers import Book, flip, said_by_registry
from tests.experiments.promotion.test_signatures import key_of, list_keys

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


@pytest.mark.parametrize("age", [timedelta(days=31), timedelta(days=-1)], ids=["stale", "from the future"])
def test_evidence_must_be_of_these_days(book: Book, apply: Do, age: timedelta) -> None:
    book.ask(1, made_at=(datetime.now(UTC) - age).isoformat())
    with pytest.raises(PromotionRefused, match="must be from the last 30 days"):
        apply()


def test_evidence_without_a_date_is_refused(book: Book, apply: Do) -> None:
    book.ask(1, made_at="yesterday")
    with pytest.raises(PromotionRefused, match="made at yesterday"):
        apply()


@pytest.mark.parametrize("place", [0, 5, -1])
def test_a_flipped_bit_of_the_evidence_is_refused(book: Book, apply: Do, approve: Do, folder: Path, place: int) -> None:
    request = book.ask(1)
    path = folder / evidence_path(str(book.open().state.requests[request].content["evidence_hash"]))
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


def test_a_file_added_to_the_model_is_refused(book: Book, apply: Do, folder: Path) -> None:
    book.ask(1)
    (folder / FILES / "more.json").write_text("{}")
    with pytest.raises(PromotionRefused, match="its files give hash"):
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


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Path]:
    return {name: key_of(tmp_path, name) for name in ("anna", "bert", "carl")}


@pytest.fixture
def allowed(tmp_path: Path, keys: dict[str, Path]) -> Path:
    return list_keys(tmp_path / "allowed", ("anna", keys["anna"]), ("bert", keys["bert"]))


@pytest.fixture
def two_people(allowed: Path) -> PolicySettings:
    asked = ApprovalSettings(people=2, requester_may_approve=False, signed=True, allowed_signers=str(allowed))
    return PolicySettings(name="two people", approvals=asked)


@pytest.fixture
def approvers(monkeypatch: pytest.MonkeyPatch) -> None:
    is_called(monkeypatch, "an account that did not ask")


@pytest.mark.usefixtures("approvers")
def test_two_people_sign(
    book: Book, apply: Do, approve: Do, two_people: PolicySettings, keys: dict[str, Path], allowed: Path
) -> None:
    book.ask(1, policy=two_people)
    for _ in range(2):  # the same person counts once
        approve(policy=two_people, key=str(keys["anna"]))
    with pytest.raises(PromotionRefused, match="request 1 has 1 of the 2 signed approvals by different people"):
        apply(policy=two_people)
    assert approve(policy=two_people, key=str(keys["bert"]))["approvals"] == 2
    # a key that is no longer listed does not count any more
    whole = allowed.read_text()
    list_keys(allowed, ("anna", keys["anna"]))
    with pytest.raises(PromotionRefused, match=r"request 1 has 1 .*; not counted: bert .* does not verify against"):
        apply(policy=two_people)
    allowed.unlink()
    with pytest.raises(RequestError, match=r"allowed_signers=.* is not a file"):
        apply(policy=two_people)
    allowed.write_text(whole)
    assert apply(policy=two_people)["version"] == 1
    assert book.findings() == []


@pytest.mark.usefixtures("approvers")
def test_who_does_not_sign_or_is_not_listed_is_refused(
    book: Book, approve: Do, two_people: PolicySettings, keys: dict[str, Path]
) -> None:
    book.ask(1, policy=two_people)
    with pytest.raises(RequestError, match="counts signed approvals only and no key is given"):
        approve(policy=two_people)
    with pytest.raises(SignatureRefused, match="listed under: nothing"):
        approve(policy=two_people, key=str(keys["carl"]))


def test_a_signature_without_a_list_of_signers_says_nothing(book: Book, approve: Do, keys: dict[str, Path]) -> None:
    book.ask(1)
    with pytest.raises(ConfigurationError, match=r"needs policy\.approvals\.allowed_signers, which is not set"):
        approve(key=str(keys["anna"]))


@pytest.mark.usefixtures("approvers")
def test_one_person_with_two_names_for_one_key_counts_once(
    book: Book, apply: Do, approve: Do, two_people: PolicySettings, keys: dict[str, Path], allowed: Path
) -> None:
    book.ask(1, policy=two_people)
    approve(policy=two_people, key=str(keys["anna"]))
    list_keys(allowed, ("anna", keys["anna"]), ("anne", keys["anna"]))
    # given an approval in the other name, written past the command
    request = book.open().state.open[1]
    signers = approvals.signers_of(two_people.approvals, book.store.workspace.root)
    assert signers is not None
    message = message_of(book.open().name, 1, request.hash, "anne")
    signature = signers.sign(message, keys["anna"])
    said = {"by": "anne", "account": "another", "signature": signature, "key": "", "authenticated": True, "why": ""}
    book.open().approve(1, said)
    with pytest.raises(PromotionRefused, match=r"request 1 has 1 .*; not counted: anne .* the same person or key"):
        apply(policy=two_people)


@pytest.mark.usefixtures("approvers")
def test_an_approval_is_of_one_request_and_of_no_other(
    book: Book, apply: Do, approve: Do, two_people: PolicySettings, keys: dict[str, Path]
) -> None:
    # given two signatures under request 1, copied under request 3
    book.ask(1, policy=two_people)
    for name in ("anna", "bert"):
        approve(policy=two_people, key=str(keys[name]))
    ledger = book.open()
    copied = [replace(approval).content for approval in ledger.state.approvals[1]]
    request = book.ask(1, policy=two_people)
    for approval in copied:
        names = ("by", "account", "signature", "key", "authenticated", "why")
        book.open().approve(request, {name: approval[name] for name in names})
    with pytest.raises(PromotionRefused, match=f"request {request} has 0 .*; not counted: anna"):
        apply(policy=two_people)
    assert [finding.partition(":")[0] for finding in book.findings()] == ["entry 5", "entry 6"]


@pytest.mark.usefixtures("approvers")
def test_a_promotion_written_past_the_approvals_is_found(book: Book, two_people: PolicySettings) -> None:
    request = book.ask(1, policy=two_people)
    book.open().promote(request)
    (finding,) = book.findings()
    assert finding.startswith("entry 2 promoted version 1 with 0 of 2 approvals that the policy of request 1 requires")


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
    book.ask(1, policy=policy, made_at=(datetime.now(UTC) - timedelta(days=59)).isoformat())
    assert apply(policy=policy)["version"] == 1
