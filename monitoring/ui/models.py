"""The registered models of a workspace: champion, challenger, open requests and the newest decisions of the ledger."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import ThinfileError
from pipelines.ledger.ledger_state import LedgerState, ledger_state_of, whole
from pipelines.model_store.files import DOCUMENT
from pipelines.model_store.promotions import promotions_of
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import CANDIDATE, CHALLENGER, CHAMPION, EVALUATION
from pipelines.storage.chain import Entry

if TYPE_CHECKING:
    from pipelines.model_store.store import ModelStore

MOST_DECISIONS = 10


@dataclass(frozen=True)
class Version:
    """A version of a model: its family, its AUC on the test part with an interval, and its document as an address."""

    number: int
    family: str
    auc: Mapping[str, float] | None
    document: str | None


@dataclass(frozen=True)
class Decision:
    """One entry of a promotion ledger."""

    number: int
    when: str
    decision: str
    version: str
    by: str
    why: str


@dataclass(frozen=True)
class Model:
    """A registered model; `finding` says where alias and ledger disagree, or why the ledger cannot be read."""

    name: str
    versions: int
    champion: Version | None
    since: str
    challenger: Version | None
    policy: str
    open_requests: tuple[int, ...]
    decisions: tuple[Decision, ...]
    finding: str


def models_of(store: "ModelStore") -> list[Model]:
    """Return the registered models by name."""
    return [_model(store, one) for one in sorted(model.name for model in store.client.search_registered_models())]


def _model(store: "ModelStore", name: str) -> Model:
    versions = {one.version: one for one in store.versions(name)}
    aliases, _ = store.standing(name)
    entries, finding = _entries(store, name)
    state = ledger_state_of(entries)
    aliased = aliases.get(CHAMPION)
    if not finding and aliased != state.champion:
        named = ("no version" if number is None else f"version {number}" for number in (state.champion, aliased))
        finding = "the ledger names {} as champion, and MLflow's alias {}".format(*named)
    challenger = aliases.get(CHALLENGER)
    return Model(
        name=name,
        versions=len(versions),
        champion=_version(store, versions.get(state.champion or 0)),
        since=_since(state),
        challenger=None if challenger == state.champion else _version(store, versions.get(challenger or 0)),
        policy="" if state.policy is None else state.policy.name,
        open_requests=tuple(whole(one.content["version"]) for one in state.open.values()),
        decisions=tuple(_decision(one) for one in reversed(entries[-MOST_DECISIONS:])),
        finding=finding,
    )


def _entries(store: "ModelStore", name: str) -> tuple[Sequence[Entry], str]:
    workspace = store.workspace
    if not workspace.database and not workspace.chain.exists():
        return [], ""
    try:
        entries = promotions_of(workspace, name).entries()
        ledger_state_of(entries)
    except ThinfileError as error:
        return [], str(error)
    return entries, ""


def _since(state: LedgerState) -> str:
    return "" if state.champion_entry is None else state.champion_entry.written_at[:10]


def _version(store: "ModelStore", version: RegisteredModel | None) -> Version | None:
    if version is None:
        return None
    evaluation = version.tags.get(EVALUATION)
    auc = None if evaluation is None else json.loads(evaluation)["measures"]["auc"]
    return Version(version.version, version.tags.get(CANDIDATE, "of another tool"), auc, _document(store, version))


def _document(store: "ModelStore", version: RegisteredModel) -> str | None:
    try:
        place = store.shown_place(version, DOCUMENT)
    except Exception:  # a store that does not answer must not hide the rest of the page
        logging.getLogger(__name__).warning("the document of version %d cannot be read", version.version, exc_info=True)
        return None
    return place if place is None or "://" in place else Path(place).absolute().as_uri()


def _decision(entry: Entry) -> Decision:
    content = entry.content
    return Decision(
        number=entry.sequence,
        when=entry.written_at[:16].replace("T", " "),
        decision=str(content["decision"]).replace("_", " "),
        version=str(content.get("version", "")),
        by=str(content.get("by", "")),
        why=str(content.get("why") or ""),
    )
