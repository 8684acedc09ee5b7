"""Counts the approvals of a request under a policy."""

from dataclasses import dataclass
from pathlib import Path

from experiments.promotion.ledger import Ledger
from experiments.promotion.signatures import SignatureRefused, Signers, message_of
from pipelines.errors import ConfigurationError, RequestError, ThinfileError
from pipelines.policy.pack import ApprovalSettings
from pipelines.storage.chain import Entry
from pipelines.storage.process import account


class ApprovalRefused(ThinfileError):
    """This person cannot approve this request under this policy."""

    exit_code = 3


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


def count_approvals(ledger: Ledger, request: Entry, approvals: ApprovalSettings, scratch: Path) -> ApprovalCount:
    """Count the approvals of a request: different people, different keys, signatures that are valid now.

    Raises:
        RequestError: the file of allowed signers is missing.
    """
    people: list[str] = []
    keys: set[str] = set()
    rejected: list[str] = []
    for approval in ledger.state.approvals.get(request.sequence, []):
        name = str(approval.content["by"])
        try:
            _require_other_person(request, name, str(approval.content["account"]), approvals)
            key = _key_of(ledger.name, request, approval, approvals, scratch)
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
    ledger: Ledger, request: Entry, approvals: ApprovalSettings, key: str | None, scratch: Path
) -> dict[str, object]:
    """Return the content of an approval: the approver, and the signature when there is a key.

    Raises:
        RequestError: the policy requires a key and there is none, or there is no list of allowed signers.
        ApprovalRefused, SignatureRefused: the person or the key does not count.
    """
    unsigned: dict[str, object] = {"account": account(), "signature": None, "key": None, "authenticated": False}
    signed = _signed(ledger, request, approvals, key, scratch) if key is not None else {"by": account()}
    content = unsigned | signed
    if approvals.signed and key is None:
        raise RequestError("the policy counts signed approvals only and no key is given; add key=~/.ssh/id_ed25519")
    _require_other_person(request, str(content["by"]), account(), approvals)
    return content


def _signed(ledger: Ledger, request: Entry, approvals: ApprovalSettings, key: str, scratch: Path) -> dict[str, object]:
    signers, path = signers_of(approvals, scratch), Path(key).expanduser()
    if signers is None:
        raise ConfigurationError(
            "a signed approval needs policy.approvals.allowed_signers, which is not set; name a file in OpenSSH's "
            "allowed_signers format"
        )
    name = signers.owner(path)
    message = message_of(ledger.name, request.sequence, request.hash, name)
    signature = signers.sign(message, path)
    signers.check(message, signature, name)
    return {"by": name, "signature": signature, "key": signers.line(path), "authenticated": True}


def _require_other_person(request: Entry, name: str, account: str, approvals: ApprovalSettings) -> None:
    """Raise ApprovalRefused for the requester, by name or account, where the policy excludes the requester."""
    requester = str(request.content["by"])
    if not approvals.requester_may_approve and requester in (name, account):
        raise ApprovalRefused(
            f"{requester} made request {request.sequence} and may not approve it under this policy; another person "
            "must approve, from another account"
        )


def signers_of(approvals: ApprovalSettings, scratch: Path) -> Signers | None:
    """Return the allowed signers of a policy, None without a list. Raises RequestError when the file is missing."""
    return Signers(Path(approvals.allowed_signers).expanduser(), scratch) if approvals.allowed_signers else None


def _key_of(chain: str, request: Entry, approval: Entry, approvals: ApprovalSettings, scratch: Path) -> str:
    """Return the key fingerprint of an approval, "" for an unsigned one under a policy that accepts it."""
    signature, name = approval.content["signature"], str(approval.content["by"])
    signers = signers_of(approvals, scratch)
    if signature is not None and signers is not None:
        message = message_of(chain, request.sequence, request.hash, name)
        return signers.check(message, str(signature), name)
    if approvals.signed:
        raise ApprovalRefused("unauthenticated, and the policy counts signed approvals only; approve again with key=")
    return ""
