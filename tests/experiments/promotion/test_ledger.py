"""The ledger: the registry follows it through crashes, and nobody changes either behind its back."""

import pytest

from experiments.promotion.ledger import LedgerDisagrees, PromotionConflict
from experiments.promotion.ledger_state import PROMOTED, REFUSED, REQUESTED
from pipelines.command.verb import ExitCode
from pipelines.errors import RequestError, ThinfileError
from pipelines.model_store.tags import CHALLENGER, CHAMPION, MODEL_HASH, STAGE
from pipelines.storage.chain import Chain, ChainBroken
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
    assert book.open().tried_before("march", hashes[4]) == 2
    assert book.open().tried_before("march", hashes[3]) == 1
    assert book.open().tried_before("april", hashes[4]) == 0


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
    assert set(content["files"]) == {"MLmodel", "artifacts/model/model.json", "served_model.py"}  # type: ignore[arg-type]
