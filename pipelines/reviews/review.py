"""The verb review: a person requests a review of a decision and another decides; a chain records who and why."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pipelines.command.verb import ExitCode, Outcome, carried
from pipelines.erasures.record import read_erasures
from pipelines.erasures.salt import Kind
from pipelines.errors import ConfigurationError
from pipelines.policy.stored_policies import kept_policy
from pipelines.reviews.overrides import Overrides, overrides_by_period
from pipelines.reviews.reviews import DECIDED, Review, Reviews, StandingDecision, row_of
from pipelines.reviews.settings import ReviewAction, ReviewVerbSettings
from pipelines.score_log.key import check_period
from pipelines.score_log.score_log import ScoreLog
from pipelines.scoring.scorer import REFERRED
from pipelines.storage.chain import ChainBroken, Entry
from pipelines.storage.process import account
from pipelines.storage.workspace import Workspace

MOST_REFERRED = 10
"""Referred decisions in the summary; output=json has all."""

KEPT = "note: reasons are stored permanently; name no person, address or phone number"


def review(settings: ReviewVerbSettings) -> Outcome:
    """Run the action.

    Raises:
        ConfigurationError: the action needs a setting that is not given.
        RequestError, ReviewConflict, ReviewRefused: see `Reviews`.
        ChainBroken: the chain is not what was written (verify reports it as a finding).
    """
    tasks = {
        ReviewAction.request: _request,
        ReviewAction.decide: _decide,
        ReviewAction.list: _list,
        ReviewAction.history: _history,
        ReviewAction.verify: _verify,
    }
    return tasks[settings.action](settings)


def _request(settings: ReviewVerbSettings) -> Outcome:
    workspace = Workspace.existing(settings.workspace)
    reviews, row = Reviews(workspace), row_of(workspace, _decision(settings))
    entry = reviews.request(row, by=account(), why=settings.why)
    head = f"REQUESTED: review of decision {row['decision_id']} ({row['decision']}; entry {entry.sequence})"
    step = f"thinfile review decide decision={row['decision_id']} outcome=approved why='...'{carried(settings)}"
    return Outcome(
        _entry_record(entry) | asdict(reviews.standing(row["decision_id"], row["decision"])),
        summary=[head, f"  {KEPT}"],
        next_steps=[step],
    )


def _decide(settings: ReviewVerbSettings) -> Outcome:
    if settings.outcome is None:
        raise ConfigurationError("a review needs an outcome; add outcome=approved or outcome=declined")
    workspace = Workspace.existing(settings.workspace)
    reviews, row = Reviews(workspace), row_of(workspace, _decision(settings))
    entry = reviews.decide(
        row,
        settings.outcome.value,
        by=account(),
        why=settings.why,
        requester_may_decide=kept_policy(workspace, row["policy_hash"]).reviews.requester_may_decide,
        version=settings.version,
    )
    standing = reviews.standing(row["decision_id"], row["decision"])
    return Outcome(
        _entry_record(entry) | asdict(standing),
        summary=[f"{_verdict(standing)} (entry {entry.sequence})", f"  {KEPT}"],
        next_steps=[f"thinfile review history decision={row['decision_id']}{carried(settings)}"],
    )


def _list(settings: ReviewVerbSettings) -> Outcome:
    workspace = Workspace.existing(settings.workspace)
    reviews = Reviews(workspace)
    referred = _referred(workspace, reviews, settings.period) if settings.period is not None else []
    all_reviews, counted = reviews.all(), overrides_by_period(reviews)
    waiting = [one for one in all_reviews if one.request is not None]
    decided = [one for one in all_reviews if one.request is None]
    result = {
        "open": [_listed(one) for one in waiting],
        "decided": [_listed(one) for one in decided],
        "periods": [_counts(one) for one in counted],
        "referred": referred,
    }
    lines = [f"{len(waiting):,} open, {len(decided):,} decided", *map(_line, waiting), *map(_line, decided)]
    lines += [_period(one) for one in counted if one.reviewed]
    lines += [f"{len(referred):,} referred decisions of {settings.period} wait for a person"] if settings.period else []
    lines += [f"  {identity}" for identity in referred[:MOST_REFERRED]]
    return Outcome(result, summary=lines, next_steps=[f"thinfile review verify{carried(settings)}"])


def _referred(workspace: Workspace, reviews: Reviews, period: str) -> list[str]:
    """Return the referred decisions of a period that are not decided yet."""
    check_period(period)
    log, decided = ScoreLog(workspace), {one.decision_id for one in reviews.all() if one.decided is not None}
    keys = (key for key in log.logged_keys() if key.period == period)
    return [one for key in keys for one in log.ids_of(key, REFERRED) if one not in decided]


def _history(settings: ReviewVerbSettings) -> Outcome:
    workspace, identity = Workspace.existing(settings.workspace), _decision(settings)
    reviews = Reviews(workspace)
    entries = reviews.of(identity).entries
    logged = str(entries[0].content["logged"] if entries else row_of(workspace, identity)["decision"])
    standing = reviews.standing(identity, logged)
    return Outcome(
        asdict(standing) | {"entries": [_entry_record(entry) for entry in entries]},
        summary=[_verdict(standing), *(f"  {_entry_line(entry)}" for entry in entries)],
        next_steps=[f"thinfile review verify{carried(settings)}"],
    )


def _verify(settings: ReviewVerbSettings) -> Outcome:
    workspace = Workspace.existing(settings.workspace)
    try:
        reviews = Reviews(workspace)
        entries, findings = len(reviews.entries()), _row_findings(workspace, reviews)
    except ChainBroken as error:
        entries, findings = 0, [str(error)]
    result = {"entries": entries, "findings": findings}
    if findings:
        head = f"NOT VERIFIED: {len(findings)} finding{'s' * (len(findings) > 1)}"
        return Outcome(result, summary=[head, *(f"  {one}" for one in findings)], exit_code=ExitCode.ANSWER_IS_NO)
    return Outcome(result, summary=[f"VERIFIED: {entries:,} entries of reviews, and their decisions"])


def _row_findings(workspace: Workspace, reviews: Reviews) -> list[str]:
    """Return a finding for each decision that differs from its first review entry."""
    all_reviews = reviews.all()
    logged = ScoreLog(workspace).decisions_of([one.decision_id for one in all_reviews])
    erasures, findings = read_erasures(workspace), []
    for one in all_reviews:
        before, now = one.entries[0].content["logged"], logged.get(one.decision_id)
        if now != before and not (now is None and erasures.erased(Kind.decision, one.decision_id)):
            state = f"is {now}" if now else "is missing"
            findings.append(
                f"decision {one.decision_id} was {before} in the score log when entry {one.entries[0].sequence} was "
                f"written and {state} now; restore the log from a copy"
            )
    return findings


def _decision(settings: ReviewVerbSettings) -> str:
    if settings.decision is None:
        raise ConfigurationError(
            f"review {settings.action.value} needs a decision; add decision=ID (the column "
            "decision_id of the score log)"
        )
    return settings.decision


def _entry_record(entry: Entry) -> dict[str, Any]:
    return {"sequence": entry.sequence, "written_at": entry.written_at, "hash": entry.hash, **entry.content}


def _listed(one: Review) -> dict[str, Any]:
    return _entry_record(one.entries[-1]) | {"version": one.version}


def _counts(one: Overrides) -> dict[str, Any]:
    return asdict(one) | {"overturned": one.overturned, "rate": one.rate}


def _verdict(standing: StandingDecision) -> str:
    was = f"{standing.logged} in the score log"
    if standing.by is None:
        state = "a review is open" if standing.is_in_review else "no review was requested"
        return f"{standing.decision.upper()}: decision {standing.decision_id} is as logged; {state}"
    how = "overturned" if standing.is_overturned else ("settled" if standing.logged == "referred" else "upheld")
    again = ", and in review again" if standing.is_in_review else ""
    return f"{standing.decision.upper()}: decision {standing.decision_id} ({was}) is {how} by {standing.by}{again}"


def _entry_line(entry: Entry) -> str:
    content: Mapping[str, object] = entry.content
    what = f"{DECIDED}, {content['outcome']}" if content["action"] == DECIDED else str(content["action"])
    when = entry.written_at[:16].replace("T", " ")
    return f"entry {entry.sequence}  {when}  {content['by']}  {what}: {content['why']}"


def _line(one: Review) -> str:
    last = one.entries[-1]
    return f"  {one.decision_id}  {last.content['logged']} in {last.content['period']}; {_entry_line(last)}"


def _period(one: Overrides) -> str:
    return (
        f"{one.period}, {one.model} version {one.version} ({one.population}): {one.overturned:,} of {one.reviewed:,} "
        f"reviewed automated decisions overturned ({one.to_approved:,} to approved, {one.to_declined:,} to declined)"
    )
