"""The ledger: the registry follows it through crashes, and nobody changes either behind its back."""

import pytest

from experiments.promotion.earlier_tests import earlier_tests, tried_before, use_of_test_part
from experiments.promotion.ledger import PromotionConflict
from pipelines.command.verb import ExitCode
from pipelines.errors import RequestError, ThinfileError
from pipelines.ledger.ledger import LedgerDisagrees
from pipelines.ledger.ledger_state import PROMOTED, REFUSED, REQUESTED
from pipelines.model_store.promotions import promotions_of
from pipelines.model_store.tags import CHALLENGER, CHAMPION, MODEL_HASH, STAGE
from pipelines.policy.pack import PolicySettings
from pipelines.storage.chain import Chain, ChainBroken
from pipelines.storage.fingerprint import fingerprint_record
from tests.experiments.ledgers import Book, asked, evidence_of, said_by_registry


def test_a_request_a_promotion_and_the_next_one_are_followed_by_the_registry(book: Book) -> None:
    book.store.set_alias(book.version(1), CHALLENGER)
    request = book.ask(1)
    assert said_by_registry(book.store, book.model) == (None, {1: "requested"})
    entry = book.open().promote(request)
    assert (entry.content["decision"], entry.content["request"], entry.content["previous"]) == (PROMOTED, request, None)
    assert said_by_registry(book.store, book.model) == (1, {1: "champion"})
    assert book.store.aliased(book.model, CHALLENGER) is None
    book.promote(2)
    assert said_by_registry(book.store, book.model) == (2, {1: "retired", 2: "champion"})
    assert book.findings() == []


def test_a_blocking_gate_refuses_and_an_advisory_one_does_not(book: Book) -> None:
    refused = asked(book.open(), book.store, book.version(1), passed=False)
    assert refused.content["decision"] == REFUSED
    evidence = evidence_of(book.version(2), passed=False)
    evidence["gates"][0]["blocking"] = False
    with pytest.raises(ThinfileError, match="not the recorded"):
        book.open().request(book.version(2), evidence, "")
    assert said_by_registry(book.store, book.model) == (None, {1: "refused"})
    with pytest.raises(RequestError, match=f"entry {refused.sequence} .* is not a request"):
        book.open().promote(refused.sequence)


def test_the_same_answer_on_the_same_evidence_is_one_entry(book: Book) -> None:
    evidence = evidence_of(book.version(1))
    first, again = (book.open().request(book.version(1), evidence, "") for _ in range(2))
    assert first == again
    promoted, again = (book.open().promote(first.sequence) for _ in range(2))
    assert promoted == again
    assert len(book.open().entries) == 2
    with pytest.raises(RequestError, match="is the champion already"):
        book.open().request(book.version(1), evidence, "")


def test_a_request_judged_against_another_champion_is_closed(book: Book) -> None:
    first, second = book.ask(1), book.ask(2)
    book.open().promote(second)
    assert said_by_registry(book.store, book.model) == (2, {1: "lapsed", 2: "champion"})
    with pytest.raises(PromotionConflict, match=f"request {first} is closed: entry 3 promoted version 2"):
        book.open().promote(first)
    with pytest.raises(
        PromotionConflict, match="the champion has changed from no version to version 2 since version 3 was"
    ):
        book.open().request(book.version(3), evidence_of(book.version(3)), "")


def test_judged_anew_the_earlier_request_is_closed(book: Book) -> None:
    first = book.ask(1)
    second = book.ask(1)
    with pytest.raises(PromotionConflict, match=f"request {first} is closed: entry {second} requested version 1"):
        book.open().promote(first)
    book.ask(1, passed=False)
    with pytest.raises(PromotionConflict, match=f"request {second} is closed"):
        book.open().promote(second)
    assert said_by_registry(book.store, book.model) == (None, {1: "refused"})


def test_two_that_had_both_read_the_ledger_cannot_both_decide(book: Book) -> None:
    requests = book.ask(1), book.ask(2)
    first, second = book.open(), book.open()
    first.promote(requests[0])
    with pytest.raises(PromotionConflict, match=f"request {requests[1]} is closed: entry 3 promoted version 1"):
        second.promote(requests[1])


def test_other_models_held_against_a_champion_on_a_test_part_are_counted_once_each(book: Book) -> None:
    book.promote(1)  # the first champion was held against nobody
    book.ask(2)
    book.ask(2)
    book.ask(3, passed=False)
    book.ask(4, test_part="april")
    hashes = {number: book.version(number).tags[MODEL_HASH] for number in (2, 3, 4)}
    entries = book.open().entries
    assert tried_before(entries, "march", hashes[4]) == 2
    assert tried_before(entries, "march", hashes[3]) == 1
    assert tried_before(entries, "april", hashes[4]) == 0


def test_earlier_tests_on_a_test_part_are_listed_once_each_and_a_retry_is_none(book: Book) -> None:
    made_at = "2026-01-01T00:00:00+00:00"
    strict = PolicySettings(name="strict", approve_from=600)
    abouts = [
        evidence_of(book.version(1), policy=policy, made_at=made_at, test_part=part)["about"]
        for policy, part in ((PolicySettings(), "march"), (strict, "march"), (PolicySettings(), "april"))
    ]
    assert earlier_tests(book.open().entries, abouts[0]) == []
    # given a version that was refused, refused again on the same evidence weeks later, and judged by another policy
    for policy, passed in ((PolicySettings(), False), (PolicySettings(), False), (strict, True)):
        book.ask(1, policy=policy, passed=passed, made_at=made_at)
        book.ask(2, policy=policy, passed=passed, made_at=made_at, test_part="may")
    refused = {"version": 1, "decision": "refused", "policy": "default", "failed": ["discrimination"], "entry": 1}
    # then each test comes after those before its first one, however often it is made
    entries = book.open().entries
    assert earlier_tests(entries, abouts[0]) == []
    assert earlier_tests(entries, abouts[1]) == [refused]
    assert earlier_tests(entries, abouts[2]) == []
    third = evidence_of(book.version(3), made_at=made_at)["about"]
    assert [(one["entry"], one["decision"]) for one in earlier_tests(entries, third)] == [
        (1, "refused"),
        (entries[-2].sequence, "requested"),
    ]


def test_a_test_part_that_was_used_since_the_evidence_was_made_is_a_conflict(book: Book) -> None:
    # given two requests that had both counted the tests before them
    both = []
    for version in (1, 2):
        evidence = evidence_of(book.version(version))
        evidence |= use_of_test_part(book.open().entries, evidence["about"])
        del evidence["evidence_hash"]
        both.append(evidence | {"evidence_hash": fingerprint_record(evidence)})
    book.open().request(book.version(1), both[0], "")
    with pytest.raises(PromotionConflict, match=r"while version 2 was judged \(its earlier_tests is not what"):
        book.open().request(book.version(2), both[1], "")
    book.open().request(book.version(1), both[0], "")  # a retry is none
    assert len(book.open().entries) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"decision": "approved", "request": 99, "version": 1}, "approval by entry 99, which is no request"),
        ({"decision": "approved", "request": 1, "version": 2}, "approval of version 2 by request 1, which is for"),
        ({"decision": "promoted", "request": 1}, "'version'"),
        ({"decision": "blessed", "version": 1}, "decision 'blessed'"),
        ({"decision": "requested", "version": [1]}, "whole number"),
    ],
    ids=["no request", "other version", "no version", "no decision", "no number"],
)
def test_an_entry_that_no_command_writes_is_named(book: Book, content: dict[str, object], reason: str) -> None:
    book.version(2)
    book.ask(1)
    promotions_of(book.store.workspace, book.model).append({"by": "a thief"} | content, after=1)
    with pytest.raises(ChainBroken, match=f"entry 2 of the ledger has a missing or invalid field: {reason}"):
        book.open()
    assert book.findings() != []


def test_rolled_back_the_champion_before_is_champion_again(book: Book) -> None:
    for version in (1, 2, 3):
        book.promote(version)
    assert book.roll_back(why="complaints")["version"] == 2
    # said again with the same words it is the same rollback, not one further
    assert book.roll_back(why="complaints") == book.roll_back(why="complaints")
    assert said_by_registry(book.store, book.model) == (2, {1: "retired", 2: "champion", 3: "retired"})
    assert book.roll_back(why="more complaints")["version"] == 1
    with pytest.raises(RequestError, match="has no earlier champion to roll back to"):
        book.roll_back(why="ever more complaints")
    assert book.roll_back(why="it was not the model", version=3)["version"] == 3
    with pytest.raises(RequestError, match="the champion already"):
        book.roll_back(why="again", version=3)
    with pytest.raises(RequestError, match="version 9 never was one"):
        book.roll_back(why="again", version=9)
    with pytest.raises(RequestError, match="a rollback needs a reason"):
        book.roll_back(version=1)
    assert book.findings() == []


def test_a_rollback_meant_for_another_champion_is_a_conflict(book: Book) -> None:
    for version in (1, 2, 3):
        book.promote(version)
    with pytest.raises(PromotionConflict, match="changed from version 2 to version 3 since the rollback was"):
        book.open().roll_back(1, "late", from_champion=2)


def test_an_entry_that_nothing_followed_yet_is_finished_by_the_next_command(book: Book) -> None:
    # given: the process died right after it had written
    request = book.ask(1)
    chain = Chain(book.store.workspace, f"promotions of {book.model}")
    content = {"decision": PROMOTED, "request": request, "version": 1, "previous": None, "by": "a", "why": ""}
    chain.append(content | {"model_hash": book.version(1).tags[MODEL_HASH]}, after=request)
    assert said_by_registry(book.store, book.model) == (None, {1: "requested"})
    # when
    book.open()
    # then
    assert said_by_registry(book.store, book.model) == (1, {1: "champion"})
    assert book.findings() == []


@pytest.mark.parametrize("allow_disagreement", [True, False])
def test_what_was_moved_during_a_crash_is_not_overwritten(book: Book, allow_disagreement: bool) -> None:
    book.promote(1)
    request = book.ask(2)
    chain = Chain(book.store.workspace, f"promotions of {book.model}")
    content = {"decision": PROMOTED, "request": request, "version": 2, "previous": 1, "by": "a", "why": ""}
    chain.append(content | {"model_hash": book.version(2).tags[MODEL_HASH]}, after=request)
    book.store.set_alias(book.version(3), CHAMPION)
    with pytest.raises(LedgerDisagrees, match="the champion is version 2 in the ledger and version 3 in MLflow"):
        book.open()
    book.open(allow_disagreement=allow_disagreement) if allow_disagreement else None
    assert book.store.aliased(book.model, CHAMPION) == book.store.version(book.model, 3)


def test_an_alias_moved_behind_the_ledgers_back_is_found_and_restored_by_a_command(book: Book) -> None:
    book.promote(1)
    book.store.set_alias(book.version(3), CHAMPION)
    with pytest.raises(LedgerDisagrees, match=r"thinfile promote rollback version=1 why=\.\.\.") as found:
        book.open()
    assert found.value.exit_code == ExitCode.ANSWER_IS_NO
    assert book.findings() == [str(found.value)]
    # when the command that it names is given
    book.roll_back(version=1, why="somebody moved the alias")
    # then all is well, and the ledger says what had happened
    assert said_by_registry(book.store, book.model) == (1, {1: "champion"})
    assert book.findings() == []
    assert "and version 3 in MLflow" in str(book.open().entries[-1].content["restored"])


def test_a_champion_set_without_any_entry_is_found(book: Book) -> None:
    book.store.set_alias(book.version(2), CHAMPION)
    with pytest.raises(LedgerDisagrees, match="is no version in the ledger and version 2 in MLflow; undo"):
        book.open()
    book.store.client.delete_registered_model_alias(book.model, CHAMPION)
    assert book.findings() == []


def test_a_deleted_champion_is_found_and_gone_back_from(book: Book) -> None:
    book.promote(1)
    book.promote(2)
    book.store.client.delete_model_version(book.model, "2")
    with pytest.raises(LedgerDisagrees, match=r"version 2, the champion in the ledger, was deleted; .*version=1"):
        book.open()
    book.roll_back(why="version 2 was deleted")
    assert said_by_registry(book.store, book.model) == (1, {1: "champion"})
    assert book.findings() == [
        "entry 3, version 2: the version and its evidence were deleted; restore them from a copy"
    ]


@pytest.mark.parametrize(("tag", "value"), [(STAGE, "champion"), (MODEL_HASH, "0" * 64)])
def test_a_tag_changed_behind_the_ledgers_back_is_found(book: Book, tag: str, value: str) -> None:
    book.promote(1)
    book.ask(2)
    book.store.tag(book.version(2), {tag: value})
    (finding,) = book.findings()
    assert finding.startswith(f"the tag {tag} of version 2 is '{value}' and must be ")
    book.roll_back(version=1, why="somebody changed a tag")
    assert book.findings() == []


def test_a_stage_that_no_entry_gave_is_found(book: Book) -> None:
    book.store.tag(book.version(2), {STAGE: "champion"})
    assert "is 'champion' and must be 'none' by the ledger" in book.findings()[0]


@pytest.mark.parametrize(
    "tampering",
    [
        "delete from chain where sequence > 0",
        "delete from chain where sequence = 2",
        "update chain set content = replace(content, 'promoted', 'refused') where sequence > 0",
    ],
    ids=["all removed", "the last one removed", "changed"],
)
def test_a_removed_or_changed_entry_is_found(book: Book, tampering: str) -> None:
    book.promote(1)
    book.tamper(tampering)
    with pytest.raises(ChainBroken):
        book.open()
    assert len(book.findings()) == 1


def test_a_head_that_is_several_entries_behind_is_no_crash(book: Book) -> None:
    # given a registry that was restored from an older copy
    book.promote(1)
    book.promote(2)
    book.store.client.delete_registered_model_tag(book.model, "thinfile.ledger_head")
    with pytest.raises(LedgerDisagrees, match="head is 4 entries behind"):
        book.open()
    book.roll_back(version=2, why="the registry was restored")
    assert book.findings() == []


def test_the_ledger_says_who_asked_with_what_and_why(book: Book) -> None:
    entry = asked(book.open(), book.store, book.version(1))
    content = entry.content
    assert content["decision"] == REQUESTED
    assert {"model_hash", "evidence_hash", "champion", "test_part", "policy_hash", "why", "by"} <= content.keys()
    assert set(content["evidence"]) == {"about", "gates"}  # type: ignore[arg-type]
    files = {"MLmodel", "artifacts/model/model.json", "file_hashes.json", "served_model.py"}
    assert set(content["files"]) == files  # type: ignore[call-overload]
    assert content["attached"] == {}
