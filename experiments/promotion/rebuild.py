"""The action rebuild: registers again in MLflow what the ledger and the artifacts prove."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.evidence.evidence_files import evidence_finding
from experiments.promotion.settings import PromoteSettings, carried_along
from pipelines.command.verb import ExitCode, Outcome
from pipelines.errors import AnswerIsNo, RequestError
from pipelines.ledger.ledger_state import LedgerState, ledger_state_of
from pipelines.ledger.registry import Registry
from pipelines.model_store.addresses import is_server, shown_uri
from pipelines.model_store.promotions import highest_given, highest_judged, overrides_of, promotions_of
from pipelines.model_store.rebuilding import (
    NO_VERSION,
    LostVersion,
    locations_by_hash,
    register_again,
    remove_taken,
    take_number,
)
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CANDIDATE, CHALLENGER, DATA, MODEL_HASH, POLICY, TEST_PART
from pipelines.storage.chain import Entry
from pipelines.storage.workspace import Workspace

REBUILDING = "thinfile.rebuilding"
"""Of a registered model whose versions are being registered again: a killed rebuild goes on."""


class NumberTaken(AnswerIsNo):
    """MLflow has given a number of the ledger to another model; the verb exits with 3."""


@dataclass
class Rebuilt:
    """The versions that were registered again, and what the others and their evidence lack."""

    restored: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    """Numbers without a decision in the ledger, which no model gets again."""
    lacking: dict[int, str] = field(default_factory=dict)


def rebuild(settings: PromoteSettings) -> Outcome:
    """Register the versions of the ledger again that MLflow has lost, under their numbers.

    A version is registered where a model with the hash of its entry is among the workspace's artifacts. The number of
    another one is used up, so that no other model gets it. Aliases and tags follow the ledger.

    Raises:
        RequestError: the ledger has no entries.
        ChainBroken: an entry was changed or removed.
        NumberTaken: MLflow has given a number of the ledger to another model.
    """
    workspace = Workspace.at(settings.workspace)
    if not highest_judged(workspace, settings.model):
        raise RequestError(
            f"the ledger of '{settings.model}' has no decisions, so nothing can be registered again; correct model=... "
            "or workspace=..., or restore the ledger's database from a copy"
        )
    chain, store = promotions_of(workspace, settings.model), ModelStore(workspace)
    with chain.locked():
        state = ledger_state_of(chain.entries())
        rebuilt = _restored(store, settings.model, state)
        if REBUILDING in store.standing(settings.model)[1]:
            _follow(store, settings.model, state)
        remove_taken(store, settings.model)
    return _outcome(settings, rebuilt)


def _restored(store: ModelStore, model: str, state: LedgerState) -> Rebuilt:
    rebuilt, given = Rebuilt(), highest_given(store.workspace, model)
    lost = range(given + 1, max(state.judgements) + 1)
    if not lost:
        return rebuilt
    _require_same(store.versions(model), state)
    store.ensure_registered(model)
    store.client.set_registered_model_tag(model, REBUILDING, "true")
    locations = locations_by_hash(store)
    where = f"at {shown_uri(store.url)}" if is_server(store.url) else f"below {store.workspace.artifacts}"
    for number in lost:
        entry = state.judgements.get(number)
        location = None if entry is None else locations.get(str(entry.content["model_hash"]))
        if entry is None or location is None:
            take_number(store, model, number)
        if entry is None:
            rebuilt.unknown.append(number)
        elif location is None:
            rebuilt.lacking[number] = (
                f"no model {where} has its hash {str(entry.content['model_hash'])[:12]}; its number is not given again"
            )
        else:
            register_again(store, _lost(model, number, entry, state), location)
            rebuilt.restored.append(number)
            finding = evidence_finding(store, store.version(model, number), str(entry.content["evidence_hash"]))
            rebuilt.lacking |= {number: f"{finding}; restore it from a copy"} if finding else {}
    return rebuilt


def _require_same(present: list[RegisteredModel], state: LedgerState) -> None:
    for version in present:
        if NO_VERSION in version.tags:
            continue
        entry = state.judgements.get(version.version)
        tag = version.tags.get(MODEL_HASH, "none")
        if entry is not None and tag != entry.content["model_hash"]:
            raise NumberTaken(
                f"version {version.version} of '{version.name}' has hash {tag[:12]} in MLflow and "
                f"{str(entry.content['model_hash'])[:12]} in the ledger: another model got its number after the loss; "
                f"delete the registered model '{version.name}' in MLflow and rebuild again, then register that one anew"
            )


def _lost(model: str, number: int, entry: Entry, state: LedgerState) -> LostVersion:
    """Return a version as its latest request or refusal recorded it; earlier entries have a few tags only."""
    about: Mapping[str, Any] = entry.content["evidence"]["about"]  # type: ignore[index]
    record: Mapping[str, Any] = entry.content.get("registered") or {}  # type: ignore[assignment]
    known = {CANDIDATE: about.get("family"), DATA: about.get("data"), TEST_PART: entry.content.get("test_part")}
    tags = record.get("tags", {key: str(tag) for key, tag in known.items() if tag})
    requested = [one for one in state.requests.values() if one.content["version"] == number]
    policy = {POLICY: str(requested[-1].content["policy_hash"])} if requested else {}
    of_run = (str(record.get("run_name", "")), record.get("run_tags", {}), record.get("run_metrics", {}))
    return LostVersion(model, number, str(entry.content["model_hash"]), {**tags, **policy}, *of_run)


def _follow(store: ModelStore, model: str, state: LedgerState) -> None:
    """Set aliases and tags by the ledger; the latest open request names the challenger."""
    Registry(store, model, overrides_of(store.workspace, model)).follow(state)
    numbers = {one.version: one for one in store.versions(model) if NO_VERSION not in one.tags}
    waiting = [numbers.get(int(str(request.content["version"]))) for request in state.open.values()]
    if waiting and waiting[-1] is not None:
        store.set_alias(waiting[-1], CHALLENGER)
    store.client.delete_registered_model_tag(model, REBUILDING)


def _outcome(settings: PromoteSettings, rebuilt: Rebuilt) -> Outcome:
    numbers = ", ".join(map(str, rebuilt.restored)) or "none"
    is_changed = rebuilt.restored or rebuilt.unknown or rebuilt.lacking
    head = (
        f"REBUILT: {settings.model}, versions registered again: {numbers}"
        if is_changed
        else f"NOTHING LOST: MLflow has every version of {settings.model} that the ledger knows"
    )
    unknown = [
        f"  version {number}: the ledger has no decision about it; its number is not given again"
        for number in rebuilt.unknown
    ]
    lacking = [f"  version {number}: {reason}" for number, reason in rebuilt.lacking.items()]
    return Outcome(
        {
            "model": settings.model,
            "restored": rebuilt.restored,
            "unknown": rebuilt.unknown,
            "lacking": {str(number): reason for number, reason in rebuilt.lacking.items()},
        },
        summary=[head, *unknown, *lacking],
        next_steps=[f"thinfile promote verify{carried_along(settings)}"],
        exit_code=ExitCode.ANSWER_IS_NO if rebuilt.lacking else ExitCode.DONE,
    )
