"""Reviews of decisions by people: asked for and decided in a chain, while the row of the score log stays as it is."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipelines.erasures.record import read_erasures
from pipelines.erasures.salt import Kind
from pipelines.errors import RequestError, ThinfileError
from pipelines.score_log.score_log import ScoreLog
from pipelines.scoring.scorer import APPROVED, DECLINED, REFERRED
from pipelines.storage.chain import Chain, ChainBroken, Entry
from pipelines.storage.chain_head import ChainHead
from pipelines.storage.workspace import Workspace

CHAIN = "reviews"
REQUESTED, DECIDED = "requested", "decided"
OUTCOMES = (APPROVED, DECLINED)

KEY = ("model", "model_version", "population", "period")
"""What an entry says of where the decision lies."""

LONGEST_WHY = 2000
SHORTEST_ID = 4
"""Letters; a shorter id is a word or a number that a reason may well contain."""


class ReviewConflict(ThinfileError):
    """Somebody else was first: the review is not where it was when it was read."""

    exit_code = 3


class ReviewRefused(ThinfileError):
    """This person may not decide this review under the policy of the decision."""

    exit_code = 3


@dataclass(frozen=True)
class Review:
    """What the chain says of one decision: its entries, in order."""

    decision_id: str
    entries: tuple[Entry, ...] = ()

    @property
    def version(self) -> int:
        """The number of the last entry about this decision, 0 before any: who decides on it says which one was read."""
        return self.entries[-1].sequence if self.entries else 0

    @property
    def request(self) -> Entry | None:
        """The request that is open, None where nobody waits for a person."""
        last = self.entries[-1] if self.entries else None
        return last if last is not None and last.content["action"] == REQUESTED else None

    @property
    def decided(self) -> Entry | None:
        """The last entry in which a person decided."""
        return next((one for one in reversed(self.entries) if one.content["action"] == DECIDED), None)


@dataclass(frozen=True)
class StandingDecision:
    """What holds today of one decision: the score log's row, and what people said since.

    `decision` stands; `logged` is what the score log says. It is overturned where a person decided otherwise than an
    automated approval or decline; a referred one had been left to a person, who settles it. `version` is that of the
    review (see `Review`); `by`, `why` and `decided_at` are those of the last person who decided.
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
    """The chain of reviews of a workspace. Keep one open to ask often: only what is new in the chain is read again."""

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
        """Return the review of a decision; one that nobody asked for has no entries."""
        self._refresh()
        return Review(decision_id, tuple(self._by_decision.get(decision_id, ())))

    def all(self) -> list[Review]:
        """Return the reviews that were ever asked for, in the order of their first entries."""
        self._refresh()
        return [Review(identity, tuple(entries)) for identity, entries in self._by_decision.items()]

    def standing(self, decision_id: str, logged: str) -> StandingDecision:
        """Return what holds of a decision whose row of the score log says `logged`."""
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
        """Ask that a person looks at the decision of a row of the score log; asked again alike, it is the same request.

        `why` is kept for ever.

        Raises:
            RequestError: no reason, or one that names the person.
            ReviewConflict: somebody else has asked and nobody has decided yet.
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
        """Write what a person decides on a row of the score log that a request, or the policy, has left to one.

        `version` is that of the review as the person read it (see `Review.version`), by default whatever it is now. Of
        several who decide on one version the first wins. Decided again alike by the same person, it is the entry that
        is there.

        Raises:
            RequestError: no such outcome; no reason, or one that names the person; nobody asked for this review.
            ReviewConflict: the review has gone on since it was read, or is decided already.
            ReviewRefused: the one who asked may not decide.
        """
        if outcome not in OUTCOMES:
            raise RequestError(f"outcome is '{outcome}'; use {' or '.join(OUTCOMES)}")
        _check_why(why, row)
        said = {"action": DECIDED, "outcome": outcome, "by": by, "why": why}
        with self._alone():
            review = self.of(row["decision_id"])
            if review.request is None and review.decided is not None and said.items() <= review.decided.content.items():
                return review.decided
            _check_open(review, row, version)
            request = review.request
            if request is not None and request.content["by"] == by and not requester_may_decide:
                raise ReviewRefused(
                    f"{by} requested this review (entry {request.sequence}) and may not decide it under the "
                    "policy of the decision; another person must decide"
                )
            return self._write(_about(row) | said | {"request": request.sequence if request else None})

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._chain().locked():
            yield

    def _chain(self) -> Chain:
        if self._opened is None:
            self._opened = Chain(self._workspace, CHAIN)
        return self._opened

    def _refresh(self) -> None:
        if self._workspace.database is None and not self._workspace.chain.exists():
            self._head.check(self._head.read(), [])
            return  # to read does not create a database
        head = self._head.read()  # before the entries, for it is moved after them
        for entry in self._chain().newer_than(self._entries[-1] if self._entries else None):
            self._take(entry)
        self._head.check(head, self._entries)

    def _write(self, content: Mapping[str, object]) -> Entry:
        entry = self._chain().append(content, after=len(self._entries))
        self._take(entry)
        self._head.move_to(entry)
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
    return logged.row


def _about(row: Mapping[str, Any]) -> dict[str, object]:
    """Return what an entry says of the decision: enough to count it, nothing that names the person."""
    return {"decision_id": row["decision_id"], "logged": row["decision"]} | {name: row[name] for name in KEY}


def _check_open(review: Review, row: Mapping[str, Any], version: int | None) -> None:
    """Raise unless this very version of a review waits for a person: asked for, or referred to one by the policy."""
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
