"""What in a ledger was written without authority: by its signers, the policy of its model, and approvals."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pipelines.errors import ThinfileError
from pipelines.ledger.approvals import approvals_from, count_approvals
from pipelines.ledger.ledger_state import (
    APPROVED,
    POLICY_SET,
    PROMOTED,
    REFUSED,
    REQUESTED,
    SIGNERS_SET,
    LedgerState,
    ReadableLedger,
    section,
    whole,
)
from pipelines.ledger.signatures import Signature, SignatureRefused, Signers, message_about, message_of
from pipelines.ledger.signing import ALWAYS_SIGNED, require_recorded_signers
from pipelines.policy.stored_policies import are_same
from pipelines.storage.chain import Entry
from pipelines.storage.fingerprint import fingerprint_record


def authority_findings(ledger: ReadableLedger, among: Collection[int] | None = None) -> Iterator[str]:
    """Yield what was written without authority, in the order of the entries; `among` names the entries to look at."""
    signers = None
    try:
        signers = require_recorded_signers(ledger, ledger.overrides)
    except ThinfileError as error:
        yield str(error)
    looked_at = [entry for entry in ledger.entries if among is None or entry.sequence in among]
    if signers is not None:
        signers.check_together([_signed(ledger, entry) for entry in looked_at if _is_by_signers_of_today(entry)])
    state = LedgerState()
    for entry in ledger.entries:
        if among is None or entry.sequence in among:
            findings = [*_signature_findings(ledger, state, entry, signers), *_policy_findings(state, entry)]
            if entry.content["decision"] == PROMOTED:
                findings += _unapproved(ledger, state, entry, signers)
            yield from (f"entry {entry.sequence} {one}" for one in findings)
        state.add(entry)


def entries_of_champion(state: LedgerState) -> set[int]:
    """Return the entries that the authority of the present champion rests on."""
    among = {one.sequence for one in (state.signers, state.champion_entry) if one is not None}
    if state.policy is not None:
        among.add(state.policy.entry.sequence)
    promotion = state.promotions.get(state.champion or 0)
    if promotion is not None:
        request = whole(promotion.content["request"])
        approvals = (one.sequence for one in state.approvals.get(request, []))
        among |= {promotion.sequence, request, *approvals}
    return among | {one.sequence for (version, _), one in state.exceptions.items() if version == state.champion}


def _signature_findings(
    ledger: ReadableLedger, state: LedgerState, entry: Entry, signers: Signers | None
) -> Iterator[str]:
    """Yield what is wrong with the signature of an entry, or with its having none."""
    content, decision = entry.content, str(entry.content["decision"])
    if not content.get("signature"):
        if state.signers is not None and decision in ALWAYS_SIGNED:
            yield f"('{decision}') is not signed, although the ledger has signers; roll back"
        return
    signed = _signed(ledger, entry)
    try:
        if _is_by_signers_of_today(entry):
            if signers is None:
                yield f"is signed by {signed.name}, and the recorded signers are not there to prove it"
                return
            signers.check(*signed)
            return
        # signers are signed by a key of those before them, the first ones by a key of their own
        before = entry if state.signers is None else state.signers
        revoked = b"" if signers is None else signers.revoked
        recorded = Signers(
            str(before.content["signers"]), f"the signers of entry {before.sequence}", ledger.scratch, revoked
        )
        recorded.check(*signed)
        if hashlib.sha256(str(content["signers"]).encode()).hexdigest() != content["signers_hash"]:
            yield "records signers that do not have their hash; restore the database from a copy"
    except SignatureRefused as error:
        yield f"('{decision}'): {error}"


def _signed(ledger: ReadableLedger, entry: Entry) -> Signature:
    """Return the signature of an entry with what it is under."""
    content, name = entry.content, str(entry.content["by"])
    if content["decision"] == APPROVED:
        request = ledger.state.requests[whole(content["request"])]
        message = message_of(ledger.name, request.sequence, request.hash, name)
    else:
        message = message_about(ledger.name, content, entry.previous_hash, name)
    return Signature(message, str(content["signature"]), name, entry.written_at)


def _is_by_signers_of_today(entry: Entry) -> bool:
    """Return whether an entry is signed by those that THINFILE_SIGNERS names; signers are by those before them."""
    return bool(entry.content.get("signature")) and entry.content["decision"] != SIGNERS_SET


def _policy_findings(state: LedgerState, entry: Entry) -> Iterator[str]:
    """Yield a judgement under another policy than that of the model, and a policy that does not have its hash."""
    content = entry.content
    if content["decision"] == POLICY_SET and fingerprint_record(content["policy"]) != content["policy_hash"]:
        yield "sets a policy that does not have its hash; restore the database from a copy"
    if content["decision"] not in (REQUESTED, REFUSED) or state.policy is None:
        return
    received = str(content["policy_hash"])
    judged_under = section(content, "evidence", "about", "policy")
    if received == state.policy.hash or (judged_under and are_same(state.policy.settings, judged_under)):
        return
    if "exception" not in content and _knows_policies(content):
        yield f"was judged under another policy than '{state.policy.name}', that of the model; roll back"
    elif state.signers is not None and (whole(content["version"]), received) not in state.exceptions:
        yield f"was judged under an exception from '{state.policy.name}' without a signature; roll back"


def _knows_policies(content: Mapping[str, Any]) -> bool:
    """Return whether an entry is of a version that knows the policy of a model."""
    return "exception" in (section(content, "evidence", "about") or {})


def _unapproved(ledger: ReadableLedger, state: LedgerState, entry: Entry, signers: Signers | None) -> Iterator[str]:
    """Yield a promotion by a request that had lapsed, or with fewer approvals than the request's policy requires."""
    request = ledger.state.requests[whole(entry.content["request"])]
    closing = state.closed_by.get(request.sequence)
    if closing is not None and closing.content["decision"] == POLICY_SET:
        yield (
            f"promoted version {entry.content['version']} by request {request.sequence}, which was judged before entry "
            f"{closing.sequence} set another policy; roll back"
        )
    required = section(request.content, "evidence", "about", "policy", "approvals")
    if not required:
        return
    approvals = approvals_from(required)
    counted = count_approvals(ledger, request, approvals, signers, before=entry.sequence)
    if counted.missing:
        rejected = "".join(f"; not counted: {one}" for one in counted.rejected)
        yield (
            f"promoted version {entry.content['version']} with {len(counted.people)} of {counted.required} approvals "
            f"that the policy of request {request.sequence} requires{rejected}; roll back"
        )
