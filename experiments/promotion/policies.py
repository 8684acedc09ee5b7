"""Which policy judges a version: that of the model in its ledger; another one is an exception that stays visible."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from experiments.promotion.ledger import PromotionLedger
from experiments.promotion.settings import PromoteAction, PromoteSettings, carried_along
from pipelines.command.verb import Outcome, carried, shell_word
from pipelines.errors import AnswerIsNo, RequestError
from pipelines.ledger.ledger import Ledger
from pipelines.ledger.ledger_state import section
from pipelines.ledger.policy import policy_of
from pipelines.ledger.signing import signer_of
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore, existing_store
from pipelines.model_store.tags import CHALLENGER
from pipelines.policy.pack import PolicySettings, as_recorded, check_policy, policy_hash
from pipelines.policy.stored_policies import are_same
from pipelines.storage.fingerprint import fingerprint_record
from pipelines.storage.workspace import Workspace


class NotThePolicyOfTheModel(AnswerIsNo):
    """The policy is not that of the model, and no exception was signed; the verb exits with 3."""


def with_policy_of_record(settings: PromoteSettings) -> PromoteSettings:
    """Return settings with the policy of record in place of one that nobody named.

    It is that of the request for an approval or a promotion of one, that of the model in its ledger for a judgement;
    before a model has one, that under which the challenger was tuned.
    """
    workspace = Workspace.at(settings.workspace)
    store = existing_store(workspace, settings.model)
    ledger = Ledger(workspace, store, settings.model, allow_disagreement=True)
    recorded = _recorded(settings, store, ledger)
    return settings if recorded is None else replace(settings, policy=policy_of(recorded))


def _recorded(settings: PromoteSettings, store: ModelStore, ledger: Ledger) -> Mapping[str, Any] | None:
    state = ledger.state
    if settings.action in (PromoteAction.approve, PromoteAction.apply):
        number = settings.request or max(state.open, default=None)
        request = state.requests.get(number) if number is not None else None
        return None if request is None else section(request.content, "evidence", "about", "policy")
    if state.policy is not None:
        return state.policy.settings
    challenger = (
        store.aliased(settings.model, CHALLENGER)
        if settings.version is None
        else store.version(settings.model, settings.version)
    )
    record = None if challenger is None else store.read_record(challenger.run_id)
    policy = (record or {}).get("policy")
    return policy if isinstance(policy, Mapping) else None


def exception_of(ledger: PromotionLedger, challenger: RegisteredModel, policy: PolicySettings, overrides: str) -> Any:
    """Return what to record where a policy is not that of the model, None where it is.

    Raises:
        NotThePolicyOfTheModel: the ledger has signers, and nobody signed an exception, or the policy of the model.
    """
    of_model, received = ledger.state.policy, policy_hash(policy)
    is_signed = ledger.state.signers is not None
    if of_model is None:
        if is_signed:
            raise NotThePolicyOfTheModel(
                f"the ledger of '{ledger.model}' has signers and no policy yet; an approver sets it with `thinfile "
                f"promote policy {shell_word('policy', policy.name)} key=...{overrides}`"
            )
        return None
    if of_model.hash == received or are_same(of_model.settings, as_recorded(policy)):
        return None
    granted = ledger.state.exceptions.get((challenger.version, received))
    if is_signed and granted is None:
        raise NotThePolicyOfTheModel(
            f"policy '{policy.name}' ({received[:12]}) is not that of '{ledger.model}', '{of_model.name}' "
            f"({of_model.hash[:12]}, entry {of_model.entry.sequence}); leave it out, or have an approver sign an "
            f"exception with `thinfile promote exception version={challenger.version} "
            f"{shell_word('policy', policy.name)} key=... why=...{overrides}`"
        )
    return {
        "policy_name": of_model.name,
        "policy_hash": of_model.hash,
        "granted": None if granted is None else granted.sequence,
        "by": None if granted is None else granted.content["by"],
    }


def exception_sentence(exception: Mapping[str, Any], policy: Mapping[str, Any] | PolicySettings) -> str:
    """Return an exception in words, with hashes where both policies have one name."""
    record = as_recorded(policy) if isinstance(policy, PolicySettings) else policy
    ours, theirs = f"'{record.get('name')}'", f"'{exception['policy_name']}'"
    if ours == theirs:
        ours, theirs = f"{ours} ({fingerprint_record(record)[:12]})", f"{theirs} ({exception['policy_hash'][:12]})"
    signed = f"signed by {exception['by']} (entry {exception['granted']})" if exception["granted"] else "unsigned"
    return f"judged under policy {ours} and not under {theirs}, the policy of the model; {signed}"


def set_policy(settings: PromoteSettings) -> Outcome:
    """Set the policy that versions of a model are judged by.

    Raises:
        NotSigned: the ledger has signers, and nobody signs.
    """
    check_policy(settings.policy)
    ledger = _opened(settings)
    signer = signer_of(ledger, settings.key, carried(settings))
    entry = ledger.set_policy(settings.policy, settings.why, signer=signer)
    signed = f"signed by {entry.content['by']}" if entry.content.get("authenticated") else "unsigned"
    return Outcome(
        {
            "decision": "policy",
            "policy": settings.policy.name,
            "ledger_entry": entry.sequence,
            "signed": signer is not None,
        },
        summary=[f"POLICY of {settings.model}: '{settings.policy.name}', {signed} (ledger entry {entry.sequence})"],
        next_steps=[f"thinfile promote request{carried(settings)}"],
    )


def except_version(settings: PromoteSettings) -> Outcome:
    """Allow one version to be judged by another policy than that of its model.

    Raises:
        RequestError: no version or no reason is given, or the policy is that of the model.
        NotSigned: the ledger has signers, and nobody signs.
    """
    check_policy(settings.policy)
    if settings.version is None or not settings.why.strip():
        raise RequestError("an exception is for one version and has a reason; add version=N why='...'")
    ledger = _opened(settings)
    of_model = ledger.state.policy
    if of_model is not None and are_same(of_model.settings, as_recorded(settings.policy)):
        raise RequestError(
            f"policy '{settings.policy.name}' is that of '{settings.model}', which needs no exception; name another "
            "with policy=NAME"
        )
    signer = signer_of(ledger, settings.key, carried(settings))
    entry = ledger.except_version(settings.version, settings.policy, settings.why, signer=signer)
    signed = f"signed by {entry.content['by']}" if entry.content.get("authenticated") else "unsigned"
    head = f"EXCEPTION: {settings.model} version {settings.version} may be judged under '{settings.policy.name}'"
    return Outcome(
        {
            "decision": "exception",
            "version": settings.version,
            "ledger_entry": entry.sequence,
            "signed": signer is not None,
        },
        summary=[f"{head}, {signed} (ledger entry {entry.sequence})"],
        next_steps=[f"thinfile promote request version={settings.version}{carried_along(settings)}"],
    )


def _opened(settings: PromoteSettings) -> PromotionLedger:
    workspace = Workspace.at(settings.workspace)
    return PromotionLedger(workspace, existing_store(workspace, settings.model), settings.model)
