"""Who said so: signers outside every policy, a policy from the approving side, and exceptions that stay visible."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.promotion import actions as deciding
from experiments.promotion import anchor, policies
from experiments.promotion.actions import PromotionRefused
from experiments.promotion.history import history
from experiments.promotion.ledger import PromotionConflict
from experiments.promotion.policies import NotThePolicyOfTheModel, exception_of
from experiments.promotion.settings import AnchorSettings, PromoteAction
from experiments.promotion.verify import verify
from pipelines.command.verb import ExitCode
from pipelines.errors import ConfigurationError, RequestError, ThinfileError
from pipelines.ledger.approvals import ApprovalRefused
from pipelines.ledger.ledger_state import SIGNERS_SET
from pipelines.ledger.policy import is_policy_of_promotion
from pipelines.ledger.signatures import SignatureRefused, message_of
from pipelines.ledger.signers import VARIABLE, signers_of_file
from pipelines.ledger.signing import NotSigned, SignersDiffer
from pipelines.model_store.promotions import promotions_of
from pipelines.policy.pack import ApprovalSettings, GateSettings, PolicySettings, as_recorded, check_policy, policy_hash
from pipelines.policy.stored_policies import policy_from
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.json_values import to_json_values
from tests.experiments.ledgers import Book, evidence_of, said_by_registry
from tests.experiments.promotion.signing_people import People
from tests.experiments.promotion.test_signatures import key_of

Do = Callable[..., dict[str, Any]]

TWO = PolicySettings(name="two people", approvals=ApprovalSettings(people=2, requester_may_approve=False, signed=True))
LENIENT = policy_from(to_json_values(PolicySettings(name="lenient", gates=GateSettings(minimum_auc=0.51))))


@pytest.fixture
def people(book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> People:
    """Anna, Bert and Dora, who are signers of the ledger; Carl has a key and is not listed."""
    return People(book, tmp_path, monkeypatch, ("anna", "bert", "dora"))


@pytest.fixture
def approve(book: Book, people: People) -> Do:
    """Approve as a command does and return its answer."""

    def approved(by: str | None, policy: PolicySettings = TWO, **told: Any) -> dict[str, Any]:
        key = None if by is None else str(people.key(by))
        return dict(deciding.approve(book.settings(PromoteAction.approve, policy=policy, key=key, **told)).result)

    return approved


@pytest.fixture
def apply(book: Book) -> Do:
    """Apply as a command does and return its answer."""
    return lambda **told: dict(deciding.apply(book.settings(PromoteAction.apply, **({"policy": TWO} | told))).result)


def set_policy(book: Book, policy: PolicySettings, key: Path | None, **told: Any) -> Any:
    settings = book.settings(PromoteAction.policy, policy=policy, key=None if key is None else str(key), **told)
    return policies.set_policy(settings)


def test_two_people_sign(book: Book, people: People, approve: Do, apply: Do) -> None:
    request = people.ask(1, TWO)
    for _ in range(2):  # the same person counts once
        approve("anna")
    with pytest.raises(
        PromotionRefused, match=f"request {request} has 1 of the 2 signed approvals by different people"
    ):
        apply()
    assert approve("bert")["approvals"] == 2
    assert apply()["version"] == 1
    assert book.findings() == []


def test_who_does_not_sign_or_is_not_listed_is_refused(people: People, approve: Do) -> None:
    people.ask(1, TWO)
    with pytest.raises(RequestError, match="counts signed approvals only and no key is given"):
        approve(None)
    with pytest.raises(SignatureRefused, match="listed under: nothing"):
        approve("carl")


def test_the_requester_differs_from_the_approver_by_key(
    people: People, approve: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.ask(1, TWO, by="anna")
    monkeypatch.setattr("pipelines.ledger.approvals.account", lambda: "another account")
    with pytest.raises(ApprovalRefused, match="anna made request 2 and may not approve it"):
        approve("anna")
    assert approve("bert")["approvals"] == 1


def test_an_unsigned_request_cannot_be_told_from_its_approvers(people: People, approve: Do) -> None:
    people.ask(1, TWO, by=None)
    with pytest.raises(ApprovalRefused, match="request 2 is not signed, so its maker and its approver may be"):
        approve("anna")


def test_one_person_with_two_names_for_one_key_counts_once(book: Book, people: People, approve: Do, apply: Do) -> None:
    lines = people.file.read_text() + people.file.read_text().replace("anna ", "anne ", 1).splitlines()[0] + "\n"
    people.file.write_text(lines)
    people.record("anna")
    request = people.ask(1, TWO)
    approve("anna")
    # given an approval in the other name, written past the command
    _forge(book, request, "anne", people.key("anna"), people.file)
    with pytest.raises(
        PromotionRefused, match=f"request {request} has 1 .*; not counted: anne .* the same person or key"
    ):
        apply()


def test_an_approval_is_of_one_request_and_of_no_other(book: Book, people: People, approve: Do, apply: Do) -> None:
    # given two signatures under a request, copied under the next one
    first = people.ask(1, TWO)
    for name in ("anna", "bert"):
        approve(name)
    copied = [replace(approval).content for approval in book.open().state.approvals[first]]
    second = people.ask(1, replace(TWO, approve_from=560))
    for approval in copied:
        names = ("by", "account", "signature", "key", "authenticated", "why")
        book.open().approve(second, {name: approval[name] for name in names})
    with pytest.raises(PromotionRefused, match=f"request {second} has 0 .*; not counted: anna"):
        apply(policy=replace(TWO, approve_from=560))
    older, *forged = book.findings()
    assert older.startswith("version 1: its model_document.html is older than entry 5")  # written past the command
    assert [finding.partition(" (")[0] for finding in forged] == ["entry 6", "entry 7"]


def test_approvals_that_carry_their_own_key_are_forged(book: Book, people: People, apply: Do) -> None:
    # given approvals by names that are listed, signed with keys that the attacker made and lists himself
    request = people.ask(1, TWO)
    for name in ("anna", "bert"):
        (people.folder / "forged").mkdir(exist_ok=True)
        key = key_of(people.folder / "forged", name)
        own = people.folder / "forged" / "allowed"
        own.write_text(f"{name} {Path(f'{key}.pub').read_text()}")
        _forge(book, request, name, key, own)
    with pytest.raises(PromotionRefused, match=f"request {request} has 0 of the 2"):
        apply()
    book.open().promote(request)
    findings = " ".join(book.findings())
    assert findings.count("does not verify") >= 2
    assert "with 0 of 2 approvals" in findings


def _forge(book: Book, request: int, name: str, key: Path, listed: Path) -> None:
    entry = book.open().state.requests[request]
    signature = signers_of_file(listed, book.store.workspace.root).sign(
        message_of(book.open().name, request, entry.hash, name), key
    )
    line = f"{name} {Path(f'{key}.pub').read_text().strip()}"
    said = {"by": name, "account": "another", "signature": signature, "key": line, "authenticated": True, "why": ""}
    book.open().approve(request, said)


def test_a_promotion_written_past_the_approvals_is_found(book: Book, people: People) -> None:
    book.open().promote(people.ask(1, TWO))
    (finding,) = book.findings()
    assert finding.startswith("entry 3 promoted version 1 with 0 of 2 approvals that the policy of request 2 requires")


def test_a_key_counts_from_its_first_to_its_last_day_and_not_once_revoked(
    book: Book, people: People, approve: Do, apply: Do
) -> None:
    people.ask(1, TWO)
    approve("anna")
    approve("bert")
    whole = people.file.read_text()
    # a key whose time has passed since still counts for what it signed
    people.file.write_text(whole.replace("bert ", 'bert valid-before="20990101" ', 1))
    people.record("anna")
    assert apply()["version"] == 1
    assert book.findings() == []
    people.file.write_text(whole.replace("bert ", 'bert valid-before="20200101" ', 1))
    people.record("anna")
    assert any("('approved'): the signature of bert does not verify" in finding for finding in book.findings())
    people.file.write_text(whole)
    people.record("anna")
    assert book.findings() == []
    people.file.with_name("allowed.revoked").write_text(Path(f"{people.key('bert')}.pub").read_text())
    assert any("bert does not verify" in finding for finding in book.findings())


@pytest.mark.parametrize("change", ["a key added", "no file", "no variable"])
def test_a_file_of_signers_that_nobody_recorded_is_refused(
    book: Book, people: People, approve: Do, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    people.ask(1, TWO)
    if change == "a key added":
        people.list("anna", "bert", "carl")
    elif change == "no file":
        people.file.unlink()
    else:
        monkeypatch.delenv(VARIABLE)
    expected: dict[str, tuple[type[ThinfileError], str]] = {
        "a key added": (SignersDiffer, "does not have the signers that the ledger .* recorded on .* \\(entry 1\\)"),
        "no file": (RequestError, "THINFILE_SIGNERS='.*' cannot be read"),
        "no variable": (SignersDiffer, "has signers since .* name their file or table in THINFILE_SIGNERS"),
    }
    error, message = expected[change]
    with pytest.raises(error, match=message):
        approve("bert")
    assert book.findings() != []


def test_who_is_not_listed_cannot_record_other_signers(book: Book, people: People) -> None:
    people.list("carl")
    with pytest.raises(SignatureRefused, match="carl does not verify against the signers of entry 1"):
        people.record("carl")
    assert book.open().state.signers is not None
    assert len([one for one in book.open().entries if one.content["decision"] == SIGNERS_SET]) == 1


@pytest.mark.parametrize("lost", ["revoked", "expired"])
def test_a_key_that_counts_no_more_cannot_record_other_signers(book: Book, people: People, lost: str) -> None:
    if lost == "revoked":
        people.file.with_name("allowed.revoked").write_text(Path(f"{people.key('anna')}.pub").read_text())
    else:
        people.file.write_text(people.file.read_text().replace("anna ", 'anna valid-before="20200101" ', 1))
        people.record("bert")
    before = len(book.open().entries)
    people.list("anna")
    with pytest.raises(SignatureRefused, match=f"anna does not verify against the signers of entry {before}"):
        people.record("anna")
    assert len(book.open().entries) == before


def test_what_changes_authority_must_be_signed(book: Book, people: People) -> None:
    with pytest.raises(NotSigned, match="the policy of a model must be signed"):
        set_policy(book, TWO, None)
    answer = set_policy(book, TWO, people.key("anna"), why="as the committee decided")
    assert answer.summary == [f"POLICY of {book.model}: 'two people', signed by anna (ledger entry 2)"]
    assert set_policy(book, TWO, people.key("bert")).result["ledger_entry"] == 2
    settings = book.settings(PromoteAction.exception, policy=LENIENT, version=1, why="a pilot")
    with pytest.raises(NotSigned, match="an exception must be signed"):
        policies.except_version(settings)
    book.open().promote(people.ask(1, TWO))
    book.open().promote(people.ask(2, TWO))
    with pytest.raises(NotSigned, match="a rollback must be signed"):
        book.roll_back(why="complaints")
    assert book.roll_back(why="complaints", key=str(people.key("anna")))["version"] == 1


def test_an_entry_without_the_signature_that_it_must_have_is_found(book: Book, people: People) -> None:
    book.open()._write(
        {"decision": "policy", "why": "", "policy_name": "x", "policy_hash": "0", "policy": {"name": "x"}}
    )
    findings = book.findings()
    assert any("entry 2 ('policy') is not signed, although the ledger has signers" in one for one in findings)
    assert any("entry 2 sets a policy that does not have its hash" in one for one in findings)


def test_another_policy_than_that_of_the_model_needs_a_signed_exception(book: Book, people: People) -> None:
    # given a model with a policy that an approver signed
    with pytest.raises(NotThePolicyOfTheModel, match="has signers and no policy yet; an approver sets it with"):
        exception_of(book.open(), book.version(1), LENIENT, "")
    set_policy(book, TWO, people.key("anna"))
    assert exception_of(book.open(), book.version(1), TWO, "") is None
    # when a requester picks a lenient one
    with pytest.raises(NotThePolicyOfTheModel, match=r"policy 'lenient' .* is not that of .* 'two people'"):
        exception_of(book.open(), book.version(1), LENIENT, "")
    # then an approver can sign an exception, for this version and this policy alone
    settings = book.settings(PromoteAction.exception, policy=LENIENT, version=1, key=str(people.key("anna")))
    with pytest.raises(RequestError, match="an exception is for one version and has a reason"):
        policies.except_version(settings)
    policies.except_version(replace(settings, why="a pilot"))
    granted = exception_of(book.open(), book.version(1), LENIENT, "")
    assert (granted["policy_name"], granted["by"], granted["granted"]) == ("two people", "anna", 3)
    for version, policy in ((2, LENIENT), (1, replace(LENIENT, approve_from=400))):
        with pytest.raises(NotThePolicyOfTheModel):
            exception_of(book.open(), book.version(version), policy, "")
    assert "exception" in json.dumps(history(book.settings(PromoteAction.history)).result)
    assert book.findings() == []


def test_a_request_lapses_when_the_policy_of_the_model_changes(book: Book, people: People, apply: Do) -> None:
    # given a request under a lenient policy, and a stricter policy that an approver sets afterwards
    set_policy(book, LENIENT, people.key("anna"))
    request = people.ask(1, LENIENT)
    set_policy(book, LENIENT, people.key("anna"))  # the same one changes nothing
    assert request in book.open().state.open
    stricter = set_policy(book, TWO, people.key("anna")).result["ledger_entry"]
    # then it cannot be applied any more
    with pytest.raises(PromotionConflict, match=f"request {request} is closed: entry {stricter} set the policy 'two"):
        apply(policy=LENIENT, request=request)
    assert said_by_registry(book.store, book.model) == (None, {1: "lapsed"})
    # and a promotion that was written past the command is found
    promotions_of(book.store.workspace, book.model).append(
        {"decision": "promoted", "request": request, "version": 1, "previous": None, "by": "dora", "why": ""},
        after=len(book.open().entries),
    )
    assert any(f"by request {request}, which was judged before entry {stricter} set" in one for one in book.findings())


def test_without_signers_an_exception_is_visible_and_unsigned(book: Book) -> None:
    book.promote(1)  # sets the policy
    found = exception_of(book.open(), book.version(2), LENIENT, "")
    assert found["policy_name"] == "default"
    sentence = policies.exception_sentence(found, LENIENT)
    assert sentence == "judged under policy 'lenient' and not under 'default', the policy of the model; unsigned"
    # a policy that takes the name of another is told apart by its hash
    disguised = replace(LENIENT, name="default")
    sentence = policies.exception_sentence(exception_of(book.open(), book.version(2), disguised, ""), disguised)
    hashes = policy_hash(disguised)[:12], policy_hash(PolicySettings())[:12]
    assert sentence.startswith("judged under policy 'default' ({}) and not under 'default' ({}),".format(*hashes))
    outcome = verify(book.settings(PromoteAction.verify))
    assert (outcome.result["signed"], outcome.exit_code) == (False, ExitCode.DONE)
    assert "unsigned" in str(outcome.summary[1])


def test_a_policy_that_an_earlier_version_recorded_is_no_other_policy(book: Book) -> None:
    # given the policy of a model and a request, recorded before a setting existed
    policy, stricter = PolicySettings(name="ours"), PolicySettings(name="ours", approve_from=600)
    record = as_recorded(policy)
    del record["gates"]["most_tests_of_one_test_part"]
    book.version(1)
    about = {"policy_name": "ours", "policy_hash": fingerprint_record(record)}
    book.open()._write({"decision": "policy", "why": "", "policy": record} | about)
    evidence = evidence_of(book.version(1), policy=policy)
    evidence["about"] |= {"policy": record, "policy_hash": about["policy_hash"]}
    del evidence["evidence_hash"]
    evidence["evidence_hash"] = fingerprint_record(evidence)
    request = book.open().request(book.version(1), evidence, "").sequence
    # then the same settings with the default of the new one are that policy
    assert exception_of(book.open(), book.version(1), policy, "") is None
    assert exception_of(book.open(), book.version(1), stricter, "") is not None
    with pytest.raises(PromotionRefused, match=f"is not that of request {request}, 'ours'"):
        deciding.apply(book.settings(PromoteAction.apply, policy=stricter))
    deciding.apply(book.settings(PromoteAction.apply, policy=policy))
    book.ask(2, policy=policy)
    assert book.findings() == []
    assert is_policy_of_promotion(book.store.workspace, book.model, policy)
    assert not is_policy_of_promotion(book.store.workspace, book.model, stricter)


def test_signers_are_outside_of_every_policy() -> None:
    own = PolicySettings(approvals=ApprovalSettings(allowed_signers="my_keys"))
    with pytest.raises(ConfigurationError, match="is not a setting of policies any more"):
        check_policy(own)


def test_a_key_without_signers_says_nothing(book: Book, tmp_path: Path) -> None:
    book.ask(1)
    with pytest.raises(ConfigurationError, match="signs nothing without a list of the keys that count"):
        deciding.approve(book.settings(PromoteAction.approve, key=str(key_of(tmp_path, "anna"))))


def test_the_policy_of_record_is_used_where_none_is_named(book: Book) -> None:
    request = book.ask(1, policy=LENIENT)
    of_request = policies.with_policy_of_record(book.settings(PromoteAction.apply, request=request))
    assert of_request.policy == LENIENT
    assert deciding.apply(of_request).result["version"] == 1
    of_model = policies.with_policy_of_record(book.settings(PromoteAction.request, version=1))
    assert of_model.policy == LENIENT


def with_anchor(book: Book, file: Path, **told: Any) -> Any:
    return book.settings(PromoteAction.checkpoint, anchor=AnchorSettings(file=str(file)), **told)


def test_a_shortened_or_rewritten_chain_is_found_by_its_anchor(book: Book, tmp_path: Path) -> None:
    file = tmp_path / "mount" / "anchor.jsonl"
    file.parent.mkdir()
    book.promote(1)
    anchor.checkpoint(with_anchor(book, file))
    anchor.checkpoint(with_anchor(book, file))  # the same once
    book.promote(2)
    anchor.checkpoint(with_anchor(book, file))
    counts = [json.loads(line)["entries"] for line in file.read_text().splitlines()]
    assert counts == [2, 4]
    checked = replace(with_anchor(book, file), action=PromoteAction.verify)
    assert verify(checked).exit_code is ExitCode.DONE
    # given a chain whose last entries are gone, with the registry's copy of its head
    entry = book.open().entries[1]
    book.tamper("delete from chain where sequence > 2")
    book.store.client.set_registered_model_tag(book.model, "thinfile.ledger_head", f"2 {entry.hash}")
    findings = str(verify(checked).result["findings"])
    assert "the anchor has a checkpoint of 4 entries" in findings
    # and one that was written anew
    lines = [json.loads(line) | {"hash": "0" * 64} for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "the chain was rewritten" in str(verify(checked).result["findings"])


def test_a_checkpoint_is_signed_and_handed_to_a_command(book: Book, people: People, tmp_path: Path) -> None:
    file, told = tmp_path / "anchor.jsonl", tmp_path / "told.jsonl"
    settings = with_anchor(book, file, key=str(people.key("anna")))
    command = f"tee {told}"
    answer = anchor.checkpoint(replace(settings, anchor=AnchorSettings(file=str(file), command=command)))
    assert answer.result["signed"] is True
    assert told.read_text() == file.read_text()
    checked = replace(settings, action=PromoteAction.verify, key=None)
    assert verify(checked).exit_code is ExitCode.DONE
    whole = file.read_text()
    file.write_text(whole.replace('"entries": 1', '"entries": 0'))
    assert "the checkpoint of 0 entries in the anchor" in str(verify(checked).result["findings"])
    # a checkpoint that anybody could have written proves nothing
    unsigned = {name: value for name, value in json.loads(whole).items() if name not in ("by", "signature")}
    file.write_text(json.dumps(unsigned) + "\n")
    assert "is signed, although the ledger has signers; write one with" in str(verify(checked).result["findings"])


@pytest.mark.parametrize(
    "change", [{"entries": "1"}, {"entries": -1}, {"entries": True}, {"hash": None}, {"at": 7}, {"signature": 7}]
)
def test_an_anchor_that_is_no_list_of_checkpoints_is_a_finding(
    book: Book, tmp_path: Path, change: dict[str, Any]
) -> None:
    file = tmp_path / "anchor.jsonl"
    book.promote(1)
    anchor.checkpoint(with_anchor(book, file))
    checked = replace(with_anchor(book, file), action=PromoteAction.verify)
    file.write_text(json.dumps(json.loads(file.read_text()) | change) + "\n")
    (finding,) = verify(checked).result["findings"]  # type: ignore[misc]
    assert "cannot be read (" in finding


def test_an_anchor_that_cannot_be_written_to_says_that_the_decision_stands(book: Book, tmp_path: Path) -> None:
    book.promote(1)
    with pytest.raises(ThinfileError, match="the decision is in the ledger and its checkpoint is not in the anchor"):
        anchor.checkpoint(with_anchor(book, tmp_path / "missing" / "anchor.jsonl"))
    failing = replace(with_anchor(book, tmp_path / "a"), anchor=AnchorSettings(command="false"))
    with pytest.raises(ThinfileError, match="'false' ended with 1"):
        anchor.checkpoint(failing)
    with pytest.raises(ConfigurationError, match="no anchor is configured"):
        anchor.checkpoint(book.settings(PromoteAction.checkpoint))
