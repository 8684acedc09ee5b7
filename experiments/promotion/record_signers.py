"""The action signers of promote: records the allowed signers in the ledger."""

from experiments.promotion.ledger import PromotionLedger
from experiments.promotion.settings import PromoteSettings, carried_along
from pipelines.command.verb import Outcome, shell_word
from pipelines.errors import RequestError
from pipelines.ledger.signers import VARIABLE, signers_of_environment
from pipelines.ledger.signing import listed
from pipelines.model_store.store import existing_store
from pipelines.storage.workspace import Workspace


def record_signers(settings: PromoteSettings) -> Outcome:
    """Record the signers that THINFILE_SIGNERS names; from then on signatures count by their keys alone.

    Raises:
        RequestError: no signers or no key are named.
        SignatureRefused: the key is not listed, or is not a valid one of the signers that were recorded before.
    """
    workspace = Workspace.at(settings.workspace)
    ledger = PromotionLedger(workspace, existing_store(workspace, settings.model), settings.model)
    signers = signers_of_environment(ledger.scratch)
    if signers is None:
        raise RequestError(f"no signers are named; name a file or a table in the environment variable {VARIABLE}")
    if settings.key is None:
        raise RequestError("the signers are recorded by one of them; add key=~/.ssh/id_ed25519")
    entry = ledger.record_signers(signers, listed(signers, settings.key), settings.why)
    return Outcome(
        {"decision": "signers", "ledger_entry": entry.sequence, "signers_hash": signers.hash},
        summary=[
            f"SIGNERS of {settings.model}: {signers.count} key{'s' * (signers.count != 1)} of {signers.source} "
            f"({signers.hash[:12]}), signed by {entry.content['by']} (ledger entry {entry.sequence})"
        ],
        next_steps=[f"thinfile promote policy {shell_word('key', settings.key)}{carried_along(settings)}"],
    )
