"""The actions of promote after a request: approve, apply and roll back."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from experiments.document import renew_document
from experiments.evidence.evidence_files import evidence_finding, model_findings, read_evidence
from experiments.promotion.data_overrides import data_of_month
from experiments.promotion.freshness import is_fresh
from experiments.promotion.ledger import PromotionLedger
from experiments.promotion.settings import PromoteSettings, carried_along
from pipelines.command.verb import Outcome, carried
from pipelines.errors import AnswerIsNo, RequestError, ThinfileError
from pipelines.ledger.approvals import ApprovalCount, approval_of, count_approvals
from pipelines.ledger.ledger_state import PROMOTED, ROLLED_BACK, section
from pipelines.ledger.signing import require_recorded_signers, signer_of, unsigned_note
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore, existing_store
from pipelines.policy.pack import PolicySettings, as_recorded, check_policy, policy_hash
from pipelines.policy.stored_policies import are_same
from pipelines.storage.chain import Entry
from pipelines.storage.workspace import Workspace


class PromotionRefused(AnswerIsNo):
    """Evidence, policy, model or approvals do not match the request: the answer is no."""


def approve(settings: PromoteSettings) -> Outcome:
    """Record a person's approval of a request: signed when `key` is given, unauthenticated otherwise.

    Raises:
        RequestError: no such request, no such key, or a key without a list of signers.
        PromotionRefused: the evidence was changed, or the policy is another.
        ApprovalRefused, SignatureRefused: this person or key does not count.
        PromotionConflict: the request is closed.
    """
    check_policy(settings.policy)
    store, ledger = _opened(settings)
    request = _chosen(ledger, settings)
    _require_same_policy(request, settings.policy, carried_along(settings))
    finding = evidence_finding(store, _version(store, ledger, request), str(request.content["evidence_hash"]))
    if finding:
        raise PromotionRefused(f"request {request.sequence} cannot be approved: {finding}; request again")
    signer = signer_of(ledger, settings.key, carried(settings))
    approval = approval_of(ledger, request, settings.policy.approvals, signer)
    entry = ledger.approve(request.sequence, approval | {"why": settings.why})
    signers = require_recorded_signers(ledger, carried(settings))
    counted = count_approvals(ledger, request, settings.policy.approvals, signers)
    renew_document(store, settings.model, request.content["version"], ledger.entries)
    return _approved(settings, request, entry, counted)


def apply(settings: PromoteSettings) -> Outcome:
    """Make the version of a request champion, if evidence, model, policy and approvals are in order.

    Raises:
        RequestError: no such request.
        PromotionRefused: evidence, model, policy or approvals are not in order.
        PromotionConflict: another decision came first.
    """
    check_policy(settings.policy)
    store, ledger = _opened(settings)
    request = _chosen(ledger, settings)
    entry = apply_request(store, ledger, request, settings)
    version, previous = request.content["version"], entry.content["previous"]
    for one in (previous, version) if previous is not None else (version,):
        renew_document(store, settings.model, one, ledger.entries)
    data = data_of_month(store, store.version(settings.model, int(str(version))))
    before = f" (previously version {previous})" if previous is not None else ""
    return Outcome(
        {"decision": PROMOTED, "version": version, "request": request.sequence, "ledger_entry": entry.sequence},
        summary=[
            f"PROMOTED: {settings.model} version {version} is champion{before} (ledger entry {entry.sequence})",
            f"  policy  {settings.policy.name} ({policy_hash(settings.policy)[:12]})",
            *unsigned_note(ledger),
        ],
        next_steps=[f"thinfile score {data} period=YYYY-MM{carried_along(settings)}"],
    )


def apply_request(store: ModelStore, ledger: PromotionLedger, request: Entry, settings: PromoteSettings) -> Entry:
    """Return the promotion of a request, written now unless it exists. Raises as `apply` does."""
    champion_entry = ledger.state.champion_entry
    if champion_entry is None or champion_entry.content.get("request") != request.sequence:
        require_applicable(store, ledger, request, settings)
    return ledger.promote(request.sequence, settings.why, signer=signer_of(ledger, settings.key, carried(settings)))


def require_applicable(store: ModelStore, ledger: PromotionLedger, request: Entry, settings: PromoteSettings) -> None:
    """Raise PromotionRefused unless policy, evidence, model and approvals match the request."""
    _require_same_policy(request, settings.policy, carried_along(settings))
    version = _version(store, ledger, request)
    try:
        read_evidence(store, version, str(request.content["evidence_hash"]))
    except ThinfileError as error:
        raise PromotionRefused(str(error)) from error
    _require_fresh(request, settings.policy.gates.evidence_days, carried_along(settings))
    _require_unchanged(store, version, request.content)
    signers = require_recorded_signers(ledger, carried(settings))
    counted = count_approvals(ledger, request, settings.policy.approvals, signers)
    if counted.missing:
        raise PromotionRefused(_lacking(counted, request, settings))


def rollback(settings: PromoteSettings) -> Outcome:
    """Make the previous champion, or the earlier one that `version` names, the champion again.

    Raises:
        RequestError: no reason is given, or there is no such earlier champion.
        PromotionRefused: its files were changed after its promotion.
        PromotionConflict: another decision came first.
    """
    if not settings.why.strip():
        raise RequestError("a rollback needs a reason; add why='...'")
    store, ledger = _opened(settings, allow_disagreement=True)
    champion = ledger.state.champion
    version = _earlier(ledger, settings)
    promotion = ledger.state.promotions.get(version)
    if promotion is not None:
        request = ledger.state.requests[int(str(promotion.content["request"]))]
        _require_unchanged(store, _version(store, ledger, request), request.content)
    signer = signer_of(ledger, settings.key, carried(settings))
    entry = ledger.roll_back(version, settings.why, from_champion=champion, signer=signer)
    renew_document(store, settings.model, version, ledger.entries)
    if champion is not None and champion != version:
        with suppress(ThinfileError):  # it may be rolled back because it was deleted, or its evidence was changed
            renew_document(store, settings.model, champion, ledger.entries)
    restored = [f"  restored  {finding}" for finding in section(entry.content, "restored") or ()]
    head = f"ROLLED BACK: {settings.model} version {version} is champion (ledger entry {entry.sequence})"
    return Outcome(
        {"decision": ROLLED_BACK, "version": version, "from": entry.content["from"], "ledger_entry": entry.sequence},
        summary=[head, *restored, *unsigned_note(ledger)],
        next_steps=[f"thinfile promote verify{carried_along(settings)}"],
    )


def _opened(settings: PromoteSettings, *, allow_disagreement: bool = False) -> tuple[ModelStore, PromotionLedger]:
    workspace = Workspace.at(settings.workspace)
    store = existing_store(workspace, settings.model)
    return store, PromotionLedger(workspace, store, settings.model, allow_disagreement=allow_disagreement)


def _chosen(ledger: PromotionLedger, settings: PromoteSettings) -> Entry:
    """Return the request that is named, else the latest open one, else the one just promoted."""
    state = ledger.state
    just_done = state.last.content.get("request") if state.last is not None else None
    number = settings.request or max(state.open, default=None) or just_done
    if not isinstance(number, int):
        raise RequestError(
            f"model '{settings.model}' has no open request; "
            f"make one with `thinfile promote request{carried_along(settings)}`"
        )
    if number not in state.requests:
        open_requests = ", ".join(map(str, state.open)) or "none"
        raise RequestError(
            f"entry {number} of the ledger is not a request (open requests: {open_requests}); "
            f"`thinfile promote history{carried_along(settings)}` lists them"
        )
    return state.requests[number]


def _earlier(ledger: PromotionLedger, settings: PromoteSettings) -> int:
    """Return the version to roll back to; repeating a command repeats its rollback, not a further one."""
    state = ledger.state
    if settings.version is not None:
        return settings.version
    last = state.last
    if last is not None and last.content["decision"] == ROLLED_BACK and last.content["why"] == settings.why:
        return int(str(last.content["version"]))
    if len(state.champions) < 2:
        raise RequestError(
            f"model '{settings.model}' has no earlier champion to roll back to; "
            f"promote another version: `thinfile promote request{carried_along(settings)}`"
        )
    return state.champions[-2]


def _version(store: ModelStore, ledger: PromotionLedger, request: Entry) -> RegisteredModel:
    return store.version(ledger.model, int(str(request.content["version"])))


def _require_same_policy(request: Entry, policy: PolicySettings, overrides: str) -> None:
    recorded, received = str(request.content["policy_hash"]), policy_hash(policy)
    settings = section(request.content, "evidence", "about", "policy")
    if recorded != received and not (settings and are_same(settings, as_recorded(policy))):
        name = section(settings or {}, "name")
        raise PromotionRefused(
            f"policy '{policy.name}' ({received[:12]}) is not that of request {request.sequence}, '{name}' "
            f"({recorded[:12]}); name the same policy, or request again: `thinfile promote request{overrides}`"
        )


def _require_fresh(request: Entry, days: int, overrides: str) -> None:
    if not is_fresh(request, days):
        raise PromotionRefused(
            f"the evidence of request {request.sequence} was made at {request.written_at} and must be from the last "
            f"{days} days; request again: `thinfile promote request{overrides}`"
        )


def _require_unchanged(store: ModelStore, version: RegisteredModel, content: Mapping[str, Any]) -> None:
    findings = model_findings(store, version, content)
    if findings:
        found = "; ".join(findings)
        raise PromotionRefused(f"version {version.version} was changed: {found}; restore it, or request again")


def _approved(settings: PromoteSettings, request: Entry, entry: Entry, counted: ApprovalCount) -> Outcome:
    version, overrides = request.content["version"], carried_along(settings)
    trust = "signed" if entry.content["authenticated"] else "unauthenticated"
    head = (
        f"APPROVED by {entry.content['by']} ({trust}): request {request.sequence}, {settings.model} version {version}"
    )
    state = f"  {len(counted.people)} of {counted.required} approvals required by the policy"
    rejected = [f"  not counted  {reason}" for reason in counted.rejected]
    step = "approve" if counted.missing else "apply"
    return Outcome(
        {
            "decision": "approved",
            "version": version,
            "request": request.sequence,
            "ledger_entry": entry.sequence,
            "by": entry.content["by"],
            "authenticated": entry.content["authenticated"],
            "approvals": len(counted.people),
            "approvals_wanted": counted.required,
        },
        summary=[f"{head} (ledger entry {entry.sequence})", state, *rejected],
        next_steps=[f"thinfile promote {step} request={request.sequence}{overrides}"],
    )


def _lacking(counted: ApprovalCount, request: Entry, settings: PromoteSettings) -> str:
    kind = "signed approvals by different people" if settings.policy.approvals.signed else "approvals"
    rejected = "".join(f"; not counted: {reason}" for reason in counted.rejected)
    return (
        f"request {request.sequence} has {len(counted.people)} of the {counted.required} {kind} that policy "
        f"'{settings.policy.name}' requires{rejected}; "
        f"`thinfile promote approve request={request.sequence}{carried_along(settings)}`"
    )
