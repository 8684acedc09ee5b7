"""Counts the approvals of a request under a policy."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pipelines.errors import AnswerIsNo, RequestError
from pipelines.ledger.ledger_state import ReadableLedger
from pipelines.ledger.signatures import SignatureRefused, Signers, message_of
from pipelines.ledger.signing import Signer
from pipelines.policy.pack import ApprovalSettings
from pipelines.storage.chain import Entry
from pipelines.storage.process import account


class ApprovalRefused(AnswerIsNo):
    """This person cannot approve this request under this policy."""


@dataclass(frozen=True)
class ApprovalCount:
    """The people whose approval counts, why other approvals do not, and how many the policy requires."""

    people: tuple[str, ...]
    rejected: tuple[str, ...]
    required: int

    @property
    def missing(self) -> int:
        """How many more people must approve."""
        return max(0, self.required - len(self.people))


def count_approvals(
    ledger: ReadableLedger,
    request: Entry,
    approvals: ApprovalSettings,
    signers: Signers | None,
    *,
    before: int | None = None,
) -> ApprovalCount:
    """Count the approvals of a request: different people, different keys, signatures that were valid when given.

    With `before` those that were given before an entry count.
    """
    people: list[str] = []
    keys: set[str] = set()
    rejected: list[str] = []
    for approval in ledger.state.approvals.get(request.sequence, []):
        if before is not None and approval.sequence > before:
            continue
        name = str(approval.content["by"])
        try:
            require_other_person(ledger, request, approval.content, approvals)
            key = _key_of(ledger.name, request, approval, approvals, signers)
        except (ApprovalRefused, SignatureRefused) as error:
            rejected.append(f"{name} (entry {approval.sequence}): {error}")
            continue
        if name in people or key in keys:
            rejected.append(f"{name} (entry {approval.sequence}): the same person or key as another approval")
            continue
        people.append(name)
        keys |= {key} if key else set()
    return ApprovalCount(tuple(people), tuple(rejected), approvals.people)


def approval_of(
    ledger: ReadableLedger, request: Entry, approvals: ApprovalSettings, signer: Signer | None
) -> dict[str, object]:
    """Return the content of an approval: the approver, and the signature where somebody signs.

    Raises:
        RequestError: the policy counts signed approvals alone and nobody signs.
        ApprovalRefused: the person or the key does not count.
    """
    if approvals.signed and signer is None:
        raise RequestError("the policy counts signed approvals only and no key is given; add key=~/.ssh/id_ed25519")
    content: dict[str, object] = {"account": account(), "signature": None, "key": None, "authenticated": False}
    content["by"] = account()
    if signer is not None:
        content |= {"by": signer.name, "key": signer.signers.line(signer.key), "authenticated": True}
    require_other_person(ledger, request, content, approvals)
    if signer is not None:
        message = message_of(ledger.name, request.sequence, request.hash, signer.name)
        content["signature"] = signer.signers.sign(message, signer.key)
        signer.signers.check(message, str(content["signature"]), signer.name)
    return content


def require_other_person(
    ledger: ReadableLedger, request: Entry, approval: Mapping[str, object], approvals: ApprovalSettings
) -> None:
    """Raise ApprovalRefused where the policy excludes the requester, and the approver is or may be the requester.

    Where the ledger has signers, people differ by key; else by name and account, which nobody proves.
    """
    if approvals.requester_may_approve:
        return
    requester, key = str(request.content["by"]), request.content.get("key")
    same = requester in (approval["by"], approval["account"])
    if ledger.state.signers is not None:
        if key is None:
            raise ApprovalRefused(
                f"request {request.sequence} is not signed, so its maker and its approver may be one person; "
                "request again with key=..."
            )
        same = approval["by"] == requester or _body(key) == _body(approval["key"])
    if same:
        raise ApprovalRefused(
            f"{requester} made request {request.sequence} and may not approve it under this policy; another person "
            "must approve, with another key or from another account"
        )


def _body(line: object) -> str:
    """Return the key in a line of an allowed signers file, without its owner."""
    return str(line).rpartition(" ")[2]


def _key_of(chain: str, request: Entry, approval: Entry, approvals: ApprovalSettings, signers: Signers | None) -> str:
    """Return the key fingerprint of an approval, "" for an unsigned one under a policy that accepts it."""
    signature, name = approval.content["signature"], str(approval.content["by"])
    if signature is not None and signers is not None:
        message = message_of(chain, request.sequence, request.hash, name)
        return signers.check(message, str(signature), name, approval.written_at)
    if approvals.signed:
        raise ApprovalRefused("unauthenticated, and the policy counts signed approvals only; approve again with key=")
    return ""


def approvals_from(record: Mapping[str, Any]) -> ApprovalSettings:
    """Return the approvals that a recorded policy requires; what is newer than it has its default."""
    return ApprovalSettings(**{one.name: record[one.name] for one in fields(ApprovalSettings) if one.name in record})
