"""The chain of erasures records who, when and why, and verification finds what contradicts it."""

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import create_engine, text

from pipelines.command.verb import ExitCode
from pipelines.erasure import erase as erasing
from pipelines.erasure import verify
from pipelines.erasure.datasets import fingerprint_folder
from pipelines.erasure.erase import erase
from pipelines.erasures.record import BEGUN, ERASED, read_erasures
from pipelines.erasures.salt import Kind
from pipelines.errors import RequestError
from pipelines.reviews.review import review
from pipelines.reviews.reviews import Reviews, row_of
from pipelines.reviews.settings import ReviewAction, ReviewVerbSettings
from pipelines.storage.chain import Chain, ChainBroken
from pipelines.storage.workspace import Workspace, sqlite_url
from tests.pipelines.erasure.filled_workspace import (
    APPLICATIONS,
    GONE,
    IDENTITY,
    STAYS,
    Killed,
    fill,
    gone_decisions,
    settings,
    written,
)


def test_the_chain_has_who_why_and_how_many_and_no_name(
    either_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = fill(either_workspace)
    monkeypatch.setenv("THINFILE_DATABASE", filled.database or "")
    erase(settings(filled, why="asked for it"))
    begun, ended = Chain(filled, "erasures").entries()
    assert (begun.content["action"], begun.content["why"], bool(begun.content["by"])) == (BEGUN, "asked for it", True)
    assert (ended.content["action"], ended.content["begun"]) == (ERASED, 1)
    assert sum(ended.content["rows"].values()) == 13  # type: ignore[attr-defined]
    told = json.dumps([begun.content, ended.content])
    assert not any(name in told for name in (GONE, STAYS, *APPLICATIONS, *gone_decisions()))
    known = read_erasures(filled)
    assert known.erased(Kind.customer, GONE) == begun
    assert known.erased(Kind.customer, STAYS) is None
    assert all(known.erased(Kind.decision, one) for one in gone_decisions())


def test_what_is_erased_changes_the_fingerprints_that_a_replay_follows(
    filled: Workspace, gone: Callable[..., Any]
) -> None:
    folder = filled.lake / "marketplace" / "prepared" / IDENTITY / "applications"
    before = {one: fingerprint_folder(one) for one in (folder, folder / "mature")}
    gone()
    gone(STAYS)
    known = read_erasures(filled)
    for one, recorded in before.items():
        assert [entry.sequence for entry in known.leads_to(recorded, fingerprint_folder(one))] == [2, 4]
    assert known.leads_to(before[folder], "tampered") == []


def test_reviews_of_what_was_erased_stay_and_verify(filled: Workspace, gone: Callable[..., Any]) -> None:
    identity = min(gone_decisions())
    Reviews(filled).request(row_of(filled, identity), by="bert", why="please look")
    gone()
    verify = ReviewVerbSettings(workspace=str(filled.root), action=ReviewAction.verify)
    assert review(verify).result == {"entries": 1, "findings": []}
    with pytest.raises(RequestError, match=r"was erased .* \(entry 1 of the erasures\)"):
        row_of(filled, identity)


def test_an_erasure_that_is_removed_from_the_chain_is_found(filled: Workspace, gone: Callable[..., Any]) -> None:
    gone()
    engine = create_engine(sqlite_url(filled.chain))
    with engine.begin() as connection:
        connection.execute(text("delete from chain where sequence = 2 and chain = 'erasures'"))
    engine.dispose()
    with pytest.raises(ChainBroken, match="it has 1 entries where 2 were written"):
        read_erasures(filled)


def test_history_lists_erasures_and_verify_finds_who_is_back(filled: Workspace, gone: Callable[..., Any]) -> None:
    gone(why="asked for it")
    (told,) = verify.history(settings(filled)).result["erasures"]  # type: ignore[misc]
    assert (told["entry"], told["why"], sum(told["rows"].values())) == (1, "asked for it", 13)
    assert verify.verify(settings(filled)).result == {"entries": 2, "findings": []}
    written(pa.table({"customer_id": [STAYS, GONE]}), filled.root / "back" / "part.parquet")
    outcome = verify.verify(settings(filled))
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    assert "1 erased customers are again in back" in str(outcome.result["findings"])


def test_verify_finds_an_unfinished_erasure(
    filled: Workspace, gone: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "remove_rows", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        gone()
    findings = verify.verify(settings(filled)).result["findings"]
    assert "entry 1" in str(findings)
    assert "is unfinished" in str(findings)
