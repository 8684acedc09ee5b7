"""Who may write to a ledger: signers are recorded in it, and what they write is signed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import AnswerIsNo, ConfigurationError
from pipelines.ledger.ledger_state import EXCEPTION, POLICY_SET, ROLLED_BACK, SIGNERS_SET, ReadableLedger
from pipelines.ledger.signatures import Signers, message_about
from pipelines.ledger.signers import VARIABLE, signers_of_environment
from pipelines.storage.process import account

ALWAYS_SIGNED = (POLICY_SET, EXCEPTION, ROLLED_BACK, SIGNERS_SET)
"""Decisions that must be signed where a ledger has signers."""


class SignersDiffer(AnswerIsNo):
    """The allowed signers are not those that the ledger recorded; the verb exits with 3."""


class NotSigned(AnswerIsNo):
    """The ledger has signers and this decision is not signed; the verb exits with 3."""


@dataclass(frozen=True)
class Signer:
    """A person whose key is listed."""

    signers: Signers
    key: Path
    name: str

    def signed(self, content: Mapping[str, object], chain: str, after: str) -> dict[str, object]:
        """Return the content of an entry with its signature; `after` is the hash of the entry before it."""
        message = message_about(chain, content, after, self.name)
        signature = self.signers.sign(message, self.key)
        self.signers.check(message, signature, self.name)
        about = {"by": self.name, "account": account(), "key": self.signers.line(self.key), "authenticated": True}
        return dict(content) | about | {"signature": signature}


def signer_of(ledger: ReadableLedger, key: str | None, overrides: str) -> Signer | None:
    """Return who signs with a key, None without one.

    Raises:
        ConfigurationError: a key without signers.
        SignersDiffer: the signers are not those of the ledger.
        SignatureRefused: the key is not listed.
    """
    signers = require_recorded_signers(ledger, overrides)
    if key is None:
        return None
    if signers is None:
        raise ConfigurationError(
            f"key='{key}' signs nothing without a list of the keys that count; name a file in OpenSSH's "
            f"allowed_signers format, or a table, in the environment variable {VARIABLE}"
        )
    return listed(signers, key)


def listed(signers: Signers, key: str) -> Signer:
    """Return the signer of a key. Raises SignatureRefused where it is not listed."""
    path = Path(key).expanduser()
    return Signer(signers, path, signers.owner(path))


def require_recorded_signers(ledger: ReadableLedger, overrides: str) -> Signers | None:
    """Return the signers of the environment, which must be those that the ledger recorded; None without any.

    Raises:
        SignersDiffer: they are not.
    """
    signers, recorded = signers_of_environment(ledger.scratch), ledger.state.signers
    record = f"`thinfile promote signers key=...{overrides}`"
    if recorded is None:
        if signers is None:
            return None
        raise SignersDiffer(
            f"the ledger of '{ledger.model}' has not recorded the signers of {signers.source} yet; record them with "
            f"{record}"
        )
    when = f"{recorded.written_at[:10]} (entry {recorded.sequence})"
    if signers is None:
        raise SignersDiffer(
            f"the ledger of '{ledger.model}' has signers since {when}; name their file or table in {VARIABLE}"
        )
    if signers.hash != recorded.content["signers_hash"]:
        raise SignersDiffer(
            f"{signers.source} does not have the signers that the ledger of '{ledger.model}' recorded on {when}; "
            f"restore them, or record the change with {record}, signed by a key that was recorded"
        )
    return signers


def require_signed(ledger: ReadableLedger, signer: Signer | None, what: str) -> None:
    """Raise NotSigned for a decision without a key where the ledger has signers."""
    if ledger.state.signers is not None and signer is None:
        raise NotSigned(f"{what} must be signed, because the ledger of '{ledger.model}' has signers; add key=...")


def unsigned_note(ledger: ReadableLedger) -> list[str]:
    """Return a line that says so where nobody's signature protects a ledger."""
    if ledger.state.signers is not None:
        return []
    return [
        f"  unsigned  anyone who can run this command can make this decision; the ledger has no signers ({VARIABLE})"
    ]
