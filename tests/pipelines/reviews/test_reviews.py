"""People review decisions: asked for, decided by one of several, counted; the score log's row stays as it is."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import create_engine, text

from pipelines.command.verb import ExitCode
from pipelines.credit.population import Population
from pipelines.errors import ConfigurationError, RequestError
from pipelines.policy.pack import PolicySettings, ReviewSettings
from pipelines.policy.stored_policies import keep_policy
from pipelines.reviews.overrides import Overrides, overrides_by_period
from pipelines.reviews.review import review
from pipelines.reviews.reviews import ReviewConflict, ReviewRefused, Reviews, row_of
from pipelines.reviews.settings import ReviewAction, ReviewOutcome, ReviewVerbSettings
from pipelines.score_log.key import LogKey, decision_ids
from pipelines.score_log.score_log import PartitionFiles, ScoreLog
from pipelines.storage.chain import ChainBroken
from pipelines.storage.workspace import Workspace, sqlite_url
from tests.conftest import Answer
from tests.pipelines.score_log.rows import decision_table

DECISIONS = {"A0001": "declined", "A0002": "approved", "A0003": "referred", "A0004": "declined"}
HOW = {"by": "anna", "why": "income proven", "requester_may_decide": True}


def logged(workspace: Workspace, period: str = "2026-01", policy: PolicySettings | None = None) -> dict[str, str]:
    """Log four decisions and return their ids by application."""
    key, ids = LogKey("credit_score", 1, Population.applications, period), np.array(list(DECISIONS))
    n = len(ids)
    columns = {"raw_score": np.zeros(n), "pd": np.full(n, 0.5), "points": np.full(n, 405), "band": ["350-549"] * n}
    columns |= {"application_id": ids, "decision": list(DECISIONS.values())}
    table = decision_table(key, "model", keep_policy(workspace, policy or PolicySettings()), "input", columns)
    features, protected = pd.DataFrame({"income": np.zeros(n)}), pd.DataFrame({"sex": ["f"] * n})
    ScoreLog(workspace).write(key, "part", table, PartitionFiles(features, protected))
    return dict(zip(ids.tolist(), decision_ids(key, "model", ids), strict=True))


def bytes_below(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def run(workspace: Workspace, action: ReviewAction, **told: Any) -> Any:
    return review(ReviewVerbSettings(workspace=str(workspace.root), action=action, **told))


def test_a_decline_is_overturned_and_its_row_stays(either_workspace: Workspace) -> None:
    identity = logged(either_workspace)["A0001"]
    before, reviews = bytes_below(either_workspace.score_log), Reviews(either_workspace)
    row = row_of(either_workspace, identity)
    assert Reviews(either_workspace).standing(identity, "declined").decision == "declined"
    asked = reviews.request(row, by="bert", why="the applicant tells of a new job")
    in_review = reviews.standing(identity, "declined")
    assert (in_review.decision, in_review.is_in_review, in_review.version) == ("declined", True, asked.sequence)
    reviews.decide(row, "approved", **HOW)
    found = Reviews(either_workspace).standing(identity, "declined")
    assert (found.logged, found.decision, found.is_overturned, found.is_in_review) == ("declined", "approved", True, 0)
    assert (found.by, found.why) == ("anna", "income proven")
    assert bytes_below(either_workspace.score_log) == before


def test_of_racing_reviewers_one_decides_and_the_others_are_told(either_workspace: Workspace) -> None:
    identity = logged(either_workspace)["A0001"]
    row = row_of(either_workspace, identity)
    asked = Reviews(either_workspace).request(row, by="bert", why="please look")
    barrier = Barrier(6)

    def decide(number: int) -> str:
        reviews, outcome = Reviews(either_workspace), ("approved", "declined")[number % 2]
        barrier.wait(30)
        version = asked.sequence if number < 3 else None
        try:
            said = HOW | {"by": f"reviewer {number}", "version": version}
            return str(reviews.decide(row, outcome, **said).content["by"])  # type: ignore[arg-type]
        except ReviewConflict:
            return "conflict"

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(decide, range(6)))
    (winner,) = [one for one in answers if one != "conflict"]
    assert Reviews(either_workspace).standing(identity, "declined").by == winner
    assert len(Reviews(either_workspace).entries()) == 2
    assert ReviewConflict.exit_code == 3


def test_a_version_that_was_read_before_somebody_else_decided_is_a_conflict(workspace: Workspace) -> None:
    row = row_of(workspace, logged(workspace)["A0001"])
    reviews = Reviews(workspace)
    read = reviews.request(row, by="bert", why="please look").sequence
    reviews.decide(row, "declined", **HOW, version=read)
    reviews.request(row, by="bert", why="look again, there is more to say")
    with pytest.raises(ReviewConflict, match="changed since it was read: entry 1 then, entry 3 now"):
        reviews.decide(row, "approved", **HOW, version=read)


def test_the_same_words_again_are_the_same_entry(workspace: Workspace) -> None:
    row = row_of(workspace, logged(workspace)["A0001"])
    reviews = Reviews(workspace)
    asked = [reviews.request(row, by="bert", why="please look") for _ in range(2)]
    decided = [reviews.decide(row, "approved", **HOW) for _ in range(2)]
    assert asked[0] == asked[1]
    assert decided[0] == decided[1]
    with pytest.raises(ReviewConflict, match="is already decided: approved by anna"):
        reviews.decide(row, "declined", **HOW)


def test_nobody_else_asks_while_a_review_is_open(workspace: Workspace) -> None:
    row = row_of(workspace, logged(workspace)["A0001"])
    Reviews(workspace).request(row, by="bert", why="please look")
    with pytest.raises(ReviewConflict, match=r"requested by bert \(entry 1\); decide it first"):
        Reviews(workspace).request(row, by="carl", why="me too")


def test_a_referred_decision_is_settled_without_a_request_and_is_no_override(workspace: Workspace) -> None:
    ids = logged(workspace)
    Reviews(workspace).decide(row_of(workspace, ids["A0003"]), "declined", **HOW)
    found = Reviews(workspace).standing(ids["A0003"], "referred")
    assert (found.logged, found.decision, found.is_overturned) == ("referred", "declined", False)
    with pytest.raises(RequestError, match="was requested; request one with"):
        Reviews(workspace).decide(row_of(workspace, ids["A0001"]), "approved", **HOW)


@pytest.mark.parametrize("may", [True, False])
def test_who_asked_decides_only_where_the_policy_of_the_decision_lets_them(may: bool, workspace: Workspace) -> None:
    policy = PolicySettings(reviews=ReviewSettings(requester_may_decide=may))
    identity = logged(workspace, policy=policy)["A0001"]
    run(workspace, ReviewAction.request, decision=identity, why="please look")
    decide = {"decision": identity, "outcome": ReviewOutcome.approved, "why": "income proven"}
    if may:
        assert run(workspace, ReviewAction.decide, **decide).result["is_overturned"]
        return
    with pytest.raises(ReviewRefused, match="another person must decide"):
        run(workspace, ReviewAction.decide, **decide)
    assert Reviews(workspace).of(identity).decided is None


@pytest.mark.parametrize(
    ("why", "message"),
    [
        ("  ", "a review needs a reason"),
        ("application A0001 is fine", "why contains the application_id"),
        ("x" * 2001, "2,001 characters; use at most 2,000"),
    ],
)
def test_a_reason_is_given_and_names_nobody(why: str, message: str, workspace: Workspace) -> None:
    row = row_of(workspace, logged(workspace)["A0001"])
    with pytest.raises(RequestError, match=message):
        Reviews(workspace).request(row, by="bert", why=why)
    assert Reviews(workspace).entries() == []


def test_the_chain_names_no_application(workspace: Workspace) -> None:
    ids = logged(workspace)
    reviews = Reviews(workspace)
    for name in ("A0001", "A0002"):
        reviews.request(row_of(workspace, ids[name]), by="bert", why="please look")
    told = json.dumps([entry.content for entry in reviews.entries()])
    assert not any(name in told for name in ids)


def test_overrides_are_counted_by_period(workspace: Workspace) -> None:
    reviews = Reviews(workspace)
    first, second = logged(workspace), logged(workspace, "2026-02")
    for identity, outcome in (
        (first["A0001"], "approved"),
        (first["A0004"], "declined"),
        (first["A0002"], "declined"),
        (first["A0003"], "approved"),
    ):
        row = row_of(workspace, identity)
        if row["decision"] != "referred":
            reviews.request(row, by="bert", why="please look")
        reviews.decide(row, outcome, **HOW)
    reviews.request(row_of(workspace, second["A0001"]), by="bert", why="please look")
    where = ("credit_score", 1, "applications")
    january, february = overrides_by_period(reviews)
    assert january == Overrides(*where, "2026-01", reviewed=3, to_approved=1, to_declined=1, settled=1)
    assert (january.overturned, january.rate) == (2, 2 / 3)
    assert february == Overrides(*where, "2026-02", waiting=1)
    assert february.rate is None
    assert overrides_by_period(reviews, model="other") == []


def test_the_last_decision_of_several_stands(workspace: Workspace) -> None:
    identity = logged(workspace)["A0001"]
    row, reviews = row_of(workspace, identity), Reviews(workspace)
    for outcome, why in (("approved", "income proven"), ("declined", "it was another's income")):
        reviews.request(row, by="bert", why=f"please look: {why}")
        reviews.decide(row, outcome, **HOW | {"why": why})  # type: ignore[arg-type]
    found = reviews.standing(identity, "declined")
    assert (found.decision, found.is_overturned) == ("declined", False)
    assert overrides_by_period(reviews)[0].overturned == 0


def test_one_who_keeps_it_open_sees_what_others_wrote(workspace: Workspace) -> None:
    identity = logged(workspace)["A0001"]
    kept = Reviews(workspace)
    assert kept.standing(identity, "declined").version == 0
    assert not workspace.chain.exists()  # to read makes no database
    Reviews(workspace).request(row_of(workspace, identity), by="bert", why="please look")
    assert kept.standing(identity, "declined").is_in_review


@pytest.mark.parametrize(
    ("tampering", "message"),
    [
        (
            "update chain set content = replace(content, 'approved', 'declined') where sequence = 2",
            "entry 2 is not what",
        ),
        ("delete from chain where sequence = 2", "it has 1 entries where 2 were written"),
        ("delete from chain", "it has 0 entries where 2 were written"),
    ],
)
def test_verify_finds_what_was_changed_and_what_was_removed(tampering: str, message: str, workspace: Workspace) -> None:
    identity = logged(workspace)["A0001"]
    row = row_of(workspace, identity)
    Reviews(workspace).request(row, by="bert", why="please look")
    Reviews(workspace).decide(row, "approved", **HOW)
    assert run(workspace, ReviewAction.verify).result == {"entries": 2, "findings": []}
    engine = create_engine(sqlite_url(workspace.chain))
    with engine.begin() as connection:
        connection.execute(text(tampering))
    engine.dispose()
    outcome = run(workspace, ReviewAction.verify)
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    assert message in outcome.result["findings"][0]
    with pytest.raises(ChainBroken):
        Reviews(workspace).standing(identity, "declined")


def test_verify_finds_a_row_that_is_not_what_it_was(workspace: Workspace) -> None:
    identity = logged(workspace)["A0001"]
    Reviews(workspace).request(row_of(workspace, identity), by="bert", why="please look")
    shutil.rmtree(workspace.score_log / "decisions")
    outcome = run(workspace, ReviewAction.verify)
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    assert "was declined in the score log when entry 1 was written and is missing now" in outcome.result["findings"][0]


def test_an_entry_whose_writer_died_before_it_moved_the_head_is_an_entry(workspace: Workspace) -> None:
    row = row_of(workspace, logged(workspace)["A0001"])
    Reviews(workspace).request(row, by="bert", why="please look")
    head = (workspace.heads / "reviews.json").read_text()
    Reviews(workspace).decide(row, "approved", **HOW)
    (workspace.heads / "reviews.json").write_text(head)
    assert run(workspace, ReviewAction.verify).result == {"entries": 2, "findings": []}
    Reviews(workspace).request(row, by="bert", why="look again")
    assert json.loads((workspace.heads / "reviews.json").read_text())["entries"] == 3


def test_the_list_of_a_period_names_what_the_policy_referred_to_a_person(workspace: Workspace) -> None:
    first, second = logged(workspace), logged(workspace, "2026-02")
    assert run(workspace, ReviewAction.list, period="2026-01").result["referred"] == [first["A0003"]]
    Reviews(workspace).decide(row_of(workspace, first["A0003"]), "approved", **HOW)
    told = run(workspace, ReviewAction.list, period="2026-01")
    assert told.result["referred"] == []
    assert "0 referred decisions of 2026-01 wait for a person" in told.summary
    assert run(workspace, ReviewAction.list, period="2026-02").result["referred"] == [second["A0003"]]
    with pytest.raises(RequestError, match="period must be a month"):
        run(workspace, ReviewAction.list, period="february")


def test_what_is_missing_is_named(workspace: Workspace) -> None:
    with pytest.raises(RequestError, match="is not a workspace; correct workspace="):
        run(workspace, ReviewAction.verify)
    workspace.root.mkdir()
    with pytest.raises(ConfigurationError, match="review request needs a decision"):
        run(workspace, ReviewAction.request)
    with pytest.raises(ConfigurationError, match="a review needs an outcome"):
        run(workspace, ReviewAction.decide, decision="0")
    with pytest.raises(RequestError, match="the score log has no decision_id 'nobody'"):
        run(workspace, ReviewAction.request, decision="nobody", why="please look")


@pytest.mark.integration
def test_the_command(thinfile: Callable[..., Answer], tmp_path: Path) -> None:
    workspace = Workspace.at(str(tmp_path / "workspace"))
    identity = logged(workspace)["A0001"]
    asked = thinfile("review", "request", f"decision={identity}", "why='the applicant tells of a new job'")
    assert (asked.exit_code, "REQUESTED: review of decision" in asked.stdout) == (0, True), asked.stderr
    decide = ("review", "decide", f"decision={identity}", "outcome=approved", "why=proven", "version=1", "output=json")
    assert thinfile(*decide).json["is_overturned"] is True
    told = thinfile("review", "list", "output=json").json
    assert ([one["outcome"] for one in told["decided"]], told["open"], told["periods"][0]["rate"]) == (
        ["approved"],
        [],
        1.0,
    )
    assert thinfile("review", "history", f"decision={identity}").stdout.startswith("APPROVED: decision")
    assert thinfile("review", "verify").exit_code == 0
