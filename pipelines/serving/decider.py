"""Decides applications: scores them, finds reasons, writes the journal and returns the decisions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from pipelines.credit.points import band_labels
from pipelines.credit.population import Population
from pipelines.policy.offers import offer_of
from pipelines.policy.pack import PolicySettings
from pipelines.reading.json_values import JsonValue
from pipelines.score_log.key import LogKey, decision_ids
from pipelines.score_log.rolled_decisions import Rolled, RolledDecisions
from pipelines.scoring.reasons import notice
from pipelines.scoring.scorer import APPROVED, DECLINED
from pipelines.serving.champion import Serving
from pipelines.serving.customer_features import CustomerFeatures
from pipelines.serving.journal import Journal, Location, Record, application_digest
from pipelines.serving.refusal import Refusal, shown

ID_DIGITS = "^[0-9a-f]{32}$"


class DecisionRow(msgspec.Struct, gc=False):
    """The row of the score log, as the journal keeps it."""

    decision_id: str
    application_id: str
    customer_id: str | None
    population: str
    period: str
    decided_at: datetime
    model: str
    model_version: int
    model_hash: str
    policy_hash: str
    raw_score: float
    pd: float
    points: int
    band: str
    decision: str
    reasons: list[str] | None
    input_fingerprint: str


class Asked(msgspec.Struct, gc=False):
    """The requested amount in minor units and term in months, where the request has them."""

    amount: int | None = None
    term: int | None = None


class Journalled(msgspec.Struct, gc=False):
    """A record's body: the row, the requested amount and term, the features as read, the groups behind the reasons.

    `columns` are values of further columns of the score log by name; those it lacks are made when the row is logged.
    `segments` are values of dimensions that the request named beside the features.
    """

    row: DecisionRow
    features: dict[str, JsonValue]
    asked: Asked = msgspec.field(default_factory=Asked)
    groups: list[str] = msgspec.field(default_factory=list)
    columns: dict[str, Any] = msgspec.field(default_factory=dict)
    segments: dict[str, JsonValue] = msgspec.field(default_factory=dict)


class Decision(msgspec.Struct, gc=False):
    """The answer to a request for a decision; `offer` is None where no amount was requested."""

    decision_id: Annotated[str, Meta(pattern=ID_DIGITS)]
    application_id: str
    customer_id: str | None
    decision: Annotated[str, Meta(description="approved, declined or referred")]
    points: int
    band: str
    pd: Annotated[float, Meta(ge=0, le=1, description="Probability of default")]
    raw_score: Annotated[float, Meta(description="Log-odds of bad before calibration")]
    reasons: Annotated[list[str], Meta(description="Reasons against approval, strongest first")]
    notice: Annotated[list[str], Meta(description="The policy's notice to a declined applicant, by line")]
    period: Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}$")]
    decided_at: datetime
    model: str
    model_version: int
    policy: str
    offer: Annotated[dict[str, Any] | None, Meta(description="Amount, terms and schedules on offer")]


class Standing(msgspec.Struct, gc=False):
    """The present state of a decision, after reviews."""

    decision: str
    is_overturned: bool
    is_in_review: bool
    decided_at: str | None


class StandingDecision(Decision, gc=False):
    """A decision that is looked up, with its present state."""

    standing: Standing


@dataclass(frozen=True)
class Decided:
    """The result of a request: a part for each application, in order.

    A part is the decision, or its location in the score log when the application was decided and rolled before.
    """

    parts: Sequence[Decision | Rolled]
    decisions: Sequence[str]
    repeated: int


class Decider:
    """Decides applications with the version it is given; one thread uses it."""

    def __init__(
        self,
        journal: Journal,
        rolled: RolledDecisions,
        policy_of: Callable[[str], PolicySettings],
        customers: CustomerFeatures | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._customers = customers
        self._journal, self._rolled, self._policy_of, self._now = journal, rolled, policy_of, now

    def decide(self, serving: Serving, applications: Sequence[Any]) -> Decided:
        """Return the decisions of applications, all or none; they are in the journal when this returns.

        An application has one decision in a period: a repeated request with the same features returns it.

        Raises:
            Refusal: 409 where an application was decided in this period on other values; see CustomerFeatures.
        """
        now = self._now()
        features = [self._features(serving, one, now) for one in applications]
        rows, groups = self._rows(serving, applications, features, now)
        records = [_record(*one) for one in zip(rows, applications, features, groups, strict=True)]
        with self._journal.locked():
            decided = [self._earlier(record, row.application_id) for record, row in zip(records, rows, strict=True)]
            new = [record for record, earlier in zip(records, decided, strict=True) if earlier is None]
            if new:
                self._journal.append(new)
        policy = serving.scorer.policy
        parts = [
            answer_of(row, policy, _asked(one)) if earlier is None else self._again(earlier)
            for row, one, earlier in zip(rows, applications, decided, strict=True)
        ]
        decisions = [row.decision for row, earlier in zip(rows, decided, strict=True) if earlier is None]
        return Decided(parts, decisions, len(rows) - len(new))

    def find(self, decision_id: str) -> Decision | Rolled | None:
        """Return a decision of this service by its id, or its location in the score log."""
        try:
            digest = bytes.fromhex(decision_id)
        except ValueError:
            return None
        location = self._journal.of_decision(digest)
        return self._again(location) if location else self._rolled.of_decision(digest)

    def _features(self, serving: Serving, application: Any, now: datetime) -> Any:
        """Return the features of the request, or those of the customer that it names."""
        if application.features is not msgspec.UNSET:
            return application.features
        assert self._customers is not None
        return serving.contract.features_of(self._customers.of(application, now))

    def _rows(
        self, serving: Serving, applications: Sequence[Any], features: Sequence[Any], now: datetime
    ) -> tuple[list[DecisionRow], list[list[str]]]:
        """Return the rows, and for each the groups of features behind its reasons."""
        scorer = serving.scorer
        columns = serving.contract.columns(features)
        answers, reasons_found = scorer.decide(columns)
        reasons: list[list[str] | None] = [None] * len(applications)
        groups: list[list[str]] = [[]] * len(applications)
        for row, words, named in zip(
            answers.unapproved.tolist(), reasons_found.words, reasons_found.groups, strict=True
        ):
            reasons[row], groups[row] = words, named
        key = LogKey(serving.model, serving.version, Population.applications, f"{now:%Y-%m}")
        ids = decision_ids(key, scorer.hash, [one.application_id for one in applications])  # type: ignore[arg-type]
        values = zip(
            applications,
            ids,
            answers.raw_score.tolist(),
            answers.pd.tolist(),
            answers.points.tolist(),
            answers.band.tolist(),
            answers.decision.tolist(),
            reasons,
            strict=True,
        )
        rows = [
            DecisionRow(
                identity,
                one.application_id,
                one.customer_id,
                key.population.value,
                key.period,
                now,
                key.model,
                key.version,
                scorer.hash,
                scorer.policy_hash,
                raw,
                probability,
                points,
                band,
                decision,
                words,
                "",
            )
            for one, identity, raw, probability, points, band, decision, words in values
        ]
        return rows, groups

    def _earlier(self, record: Record, application_id: str) -> Location | Rolled | None:
        earlier = self._journal.of_application(record.application) or self._rolled.of_application(record.application)
        if earlier is not None and earlier.request != record.request:
            raise Refusal(
                409,
                "The application was already decided in this period on other values",
                f"application {shown(application_id)}",
                f"read the decision at /decisions/{earlier.decision.hex()}, or send a new application_id",
            )
        return earlier

    def _again(self, earlier: Location | Rolled) -> Decision | Rolled:
        if isinstance(earlier, Rolled):
            return earlier
        record = msgspec.json.decode(earlier.segment.body(earlier), type=Journalled)
        return answer_of(record.row, self._policy_of(record.row.policy_hash), record.asked)


def answer_of(row: DecisionRow, policy: PolicySettings, requested: Asked) -> Decision:
    """Return the response for a row of the score log; declined applications get the policy's notice."""
    reasons = row.reasons or []
    return Decision(
        row.decision_id,
        row.application_id,
        row.customer_id,
        row.decision,
        row.points,
        row.band,
        row.pd,
        row.raw_score,
        reasons if row.decision != APPROVED else [],
        notice(reasons, policy.reasons) if row.decision == DECLINED else [],
        row.period,
        row.decided_at,
        row.model,
        row.model_version,
        policy.name,
        None if requested.amount is None else _offer(row, policy, requested.amount, requested.term),
    )


def _asked(application: Any) -> Asked:
    amount, term = application.amount, application.term
    return Asked(None if amount is None else int(amount), None if term is None else int(term))


def _offer(row: DecisionRow, policy: PolicySettings, amount: int, term: int | None) -> dict[str, Any]:
    band = band_labels(policy.bands, policy.scale).index(row.band)
    return offer_of(policy, decision=row.decision, band=band, pd=row.pd, amount=amount, asked_term=term).told()


def _record(row: DecisionRow, application: Any, features_sent: Any, groups: list[str]) -> Record:
    """Return the journal's record of a decision.

    Requests are compared by what they sent: the features of a customer in the book may have changed meanwhile.
    """
    features = msgspec.json.encode(features_sent)
    sent = (
        features
        if application.features is features_sent
        else b"book" + msgspec.json.encode(application.basket_category or None)
    )
    requested = msgspec.json.encode(_asked(application))
    request = blake2b(msgspec.json.encode(row.customer_id) + requested + sent, digest_size=16)
    row.input_fingerprint = request.hexdigest()
    parts = msgspec.json.encode(row), requested, features, msgspec.json.encode(groups)
    body = b'{"row":%b,"asked":%b,"features":%b,"groups":%b' % parts
    segments = getattr(application, "segments", None)  # a field where the service has segments
    body += b',"segments":%b}' % msgspec.json.encode(segments) if segments is not None else b"}"
    application_key = application_digest(row.model, row.period, row.application_id)
    return Record(application_key, request.digest(), bytes.fromhex(row.decision_id), body)
