"""Reviews of decisions by people, recorded in a chain; the rows of the score log do not change."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipelines.erasures.record import read_erasures
from pipelines.erasures.salt import Kind
from pipelines.errors import AnswerIsNo, RequestError
from pipelines.score_log.columns import SHADOW
from pipelines.score_log.score_log import ScoreLog
from pipelines.scoring.scorer import APPROVED, DECLINED, REFERRED
from pipelines.storage.chain import Chain, ChainBroken, Entry
from pipelines.storage.chain_head import ChainHead
from pipelines.storage.own_chain import existing_own_chain, own_chain
from pipelines.storage.workspace import Workspace

CHAIN = "reviews"
REQUESTED, DECIDED = "requested", "decided"
OUTCOMES = (APPROVED, DECLINED)

KEY = ("model", "model_version", "population", "period")
"""Fields of an entry that locate the decision in the score log."""

LONGEST_WHY = 2000
SHORTEST_ID = 4
"""Characters; a reason may contain a shorter id by chance."""


class ReviewConflict(AnswerIsNo):
    """The review changed since it was read, or another person requested it first."""


class ReviewRefused(AnswerIsNo):
    """This person may not decide this review under the policy of the decision."""


@dataclass(frozen=True)
class Review:
    """The entries of one decision in the chain, in order."""

    decision_id: str
    entries: tuple[Entry, ...] = ()

    @property
    def version(self) -> int:
        """The number of the last entry about this decision, 0 before any; deciders give the version that they read."""
        return self.entries[-1].sequence if self.entries else 0

    @property
    def request(self) -> Entry | None:
        """The open request, if any."""
        last = self.entries[-1] if self.entries else None
        return last if last is not None and last.content["action"] == REQUESTED else None

    @property
    def decided(self) -> Entry | None:
        """The last entry in which a person decided."""
        return next((one for one in reversed(self.entries) if one.content["action"] == DECIDED), None)


@dataclass(frozen=True)
class StandingDecision:
    """The current state of one decision, with the reviews of people.

    `decision` is the current one and `logged` that of the score log. It is overturned where a person changed an
    automated approval or decline; a referred decision is settled instead. `version` is that of the review (see
    `Review`); `by`, `why` and `decided_at` are those of the last person who decided.
    """

    decision_id: str
    logged: str
    decision: str
    is_overturned: bool
    is_in_review: bool
    version: int
    by: str | None = None
    why: str | None = None
    decided_at: str | None = None


class Reviews:
    """The chain of reviews of a workspace; repeated calls read only its new entries."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._head = ChainHead(workspace, CHAIN)
        self._opened: Chain | None = None
        self._entries: list[Entry] = []
        self._by_decision: dict[str, list[Entry]] = {}

    def entries(self) -> list[Entry]:
        """Return all entries in order. Raises ChainBroken when the chain is not what was written."""
        self._refresh()
        return list(self._entries)

    def of(self, decision_id: str) -> Review:
        """Return the review of a decision; without requests it has no entries."""
        self._refresh()
        return Review(decision_id, tuple(self._by_decision.get(decision_id, ())))

    def all(self) -> list[Review]:
        """Return all reviews in the order of their first entries."""
        self._refresh()
        return [Review(identity, tuple(entries)) for identity, entries in self._by_decision.items()]

    def standing(self, decision_id: str, logged: str) -> StandingDecision:
        """Return the current state of a decision that the score log has as `logged`."""
        review = self.of(decision_id)
        decided = review.decided
        is_in_review, version = review.request is not None, review.version
        if decided is None:
            return StandingDecision(decision_id, logged, logged, False, is_in_review, version)
        outcome, by, why = (str(decided.content[name]) for name in ("outcome", "by", "why"))
        overturned = logged != REFERRED and outcome != logged
        return StandingDecision(
            decision_id, logged, outcome, overturned, is_in_review, version, by, why, decided.written_at
        )

    def request(self, row: Mapping[str, Any], *, by: str, why: str) -> Entry:
        """Request the review of a row of the score log; an equal request again returns the first entry.

        `why` is stored permanently.

        Raises:
            RequestError: no reason, or one that names the person.
            ReviewConflict: another person's request is open.
        """
        _check_why(why, row)
        with self._alone():
            review = self.of(row["decision_id"])
            if review.request is None:
                return self._write(_about(row) | {"action": REQUESTED, "by": by, "why": why})
            if {"by": by, "why": why}.items() <= review.request.content.items():
                return review.request
            raise ReviewConflict(
                f"decision '{row['decision_id']}' is already under review, requested by "
                f"{review.request.content['by']} (entry {review.version}); decide it first"
            )

    def decide(
        self,
        row: Mapping[str, Any],
        outcome: str,
        *,
        by: str,
        why: str,
        requester_may_decide: bool,
        version: int | None = None,
    ) -> Entry:
        """Record a person's decision on a row of the score log under review, or referred by the policy.

        `version` is that of the review as the person read it (see `Review.version`), by default the current one. Of
        several decisions on one version the first wins. An equal decision of the same person again returns the entry.

        Raises:
            RequestError: no such outcome; no reason, or one that names the person; no review was requested.
            ReviewConflict: the review changed since it was read, or is decided already.
            ReviewRefused: the person who requested the review may not decide.
        """
        if outcome not in OUTCOMES:
            raise RequestError(f"outcome is '{outcome}'; use {' or '.join(OUTCOMES)}")
        _check_why(why, row)
        content = {"action": DECIDED, "outcome": outcome, "by": by, "why": why}
        with self._alone():
            review = self.of(row["decision_id"])
            if (
                review.request is None
                and review.decided is not None
                and content.items() <= review.decided.content.items()
            ):
                return review.decided
            _check_open(review, row, version)
            request = review.request
            if request is not None and request.content["by"] == by and not requester_may_decide:
                raise ReviewRefused(
                    f"{by} requested this review (entry {request.sequence}) and may not decide it under the "
                    "policy of the decision; another person must decide"
                )
            return self._write(_about(row) | content | {"request": request.sequence if request else None})

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._chain().locked():
            yield

    def _chain(self) -> Chain:
        if self._opened is None:
            self._opened = own_chain(self._workspace, CHAIN)
        return self._opened

    def _refresh(self) -> None:
        head = self._head.read()  # before the entries, for it is moved after them
        if self._opened is None:
            self._opened = existing_own_chain(self._workspace, CHAIN)  # reading does not create a database
        if self._opened is not None:
            for entry in self._opened.newer_than(self._entries[-1] if self._entries else None):
                self._take(entry)
        self._head.check(head, self._entries)

    def _write(self, content: Mapping[str, object]) -> Entry:
        entry = self._chain().append(content, after=len(self._entries))
        self._take(entry)
        self._head.move_to(entry, self._chain())
        return entry

    def _take(self, entry: Entry) -> None:
        if not {"decision_id", "action", "by", "why", *KEY}.issubset(entry.content):
            raise ChainBroken(f"{CHAIN}: entry {entry.sequence} is not an entry of a review; restore the database")
        self._entries.append(entry)
        self._by_decision.setdefault(str(entry.content["decision_id"]), []).append(entry)


def row_of(workspace: Workspace, decision_id: str) -> Mapping[str, Any]:
    """Return the score log's row of a decision. Raises RequestError where none has this id."""
    logged = ScoreLog(workspace).find(decision_id)
    erased = None if logged is not None else read_erasures(workspace).erased(Kind.decision, decision_id)
    if erased is not None:
        raise RequestError(
            f"decision '{decision_id}' was erased on {erased.written_at[:10]} (entry {erased.sequence} of the erasures)"
        )
    if logged is None:
        raise RequestError(
            f"the score log has no decision_id '{decision_id}'; the ids are in the "
            f"column decision_id of the files below '{workspace.score_log / 'decisions'}'"
        )
    if logged.key.role == SHADOW or logged.row["role"] == SHADOW:
        raise RequestError(
            f"decision_id '{decision_id}' is a shadow score of version {logged.key.version}, which decided nothing; "
            "name the decision of the application"
        )
    return logged.row


def _about(row: Mapping[str, Any]) -> dict[str, object]:
    """Return the fields of an entry about the decision: enough to count it, and no id of the person."""
    return {"decision_id": row["decision_id"], "logged": row["decision"]} | {name: row[name] for name in KEY}


def _check_open(review: Review, row: Mapping[str, Any], version: int | None) -> None:
    """Raise unless this version of a review is open: requested, or referred by the policy."""
    if version is not None and version != review.version:
        raise ReviewConflict(
            f"the review of '{review.decision_id}' changed since it was read: entry {version or 'none'} then, "
            f"entry {review.version} now; read it again with `thinfile review history`"
        )
    if review.request is not None or (review.decided is None and row["decision"] == REFERRED):
        return
    if review.decided is not None:
        raise ReviewConflict(
            f"the review of '{review.decision_id}' is already decided: {review.decided.content['outcome']} by "
            f"{review.decided.content['by']} (entry {review.decided.sequence}); request another with "
            "`thinfile review request`"
        )
    raise RequestError(
        f"no review of '{review.decision_id}' ({row['decision']}) was requested; request one with "
        f"`thinfile review request decision={review.decision_id} why=...`"
    )


def _check_why(why: str, row: Mapping[str, Any]) -> None:
    if not why.strip():
        raise RequestError("a review needs a reason: add why='...'")
    if len(why) > LONGEST_WHY:
        raise RequestError(f"why has {len(why):,} characters; use at most {LONGEST_WHY:,}")
    for name in ("application_id", "customer_id"):
        identity = str(row[name] or "")
        if len(identity) >= SHORTEST_ID and re.search(rf"(?<!\w){re.escape(identity)}(?!\w)", why):
            raise RequestError(
                f"why contains the {name}, and reasons are stored permanently; leave it out (the decision_id is enough)"
            )
