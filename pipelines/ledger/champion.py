"""The champion by the ledger: every verb acts on the version that the ledger names and never on an alias alone."""

import hashlib
from dataclasses import dataclass, replace

from pipelines.command.verb import ExitCode, Outcome
from pipelines.errors import AnswerIsNo, RequestError, ThinfileError, listed, nearest
from pipelines.ledger.authority import authority_findings, entries_of_champion
from pipelines.ledger.ledger import Ledger
from pipelines.ledger.ledger_state import LedgerState, ledger_state_of, section, whole
from pipelines.ledger.signers import signers_of_environment
from pipelines.model_store.files import PROFILE
from pipelines.model_store.intact import MOST_NAMED, check_files
from pipelines.model_store.promotions import overrides_of, promotions_of
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHAMPION, LEDGER_HEAD, MODEL_HASH
from pipelines.storage.chain import Entry


class ChampionDisputed(AnswerIsNo):
    """Alias, ledger and model do not agree on the champion; the verb exits with 3."""


@dataclass(frozen=True)
class LedgerChampion:
    """The version that a ledger names as champion.

    Its model hash is that of the ledger, so that a model whose files or tag were changed cannot be loaded as champion.
    `dispute` says what contradicts the ledger, since when the ledger has it otherwise, and what mends it; it is empty
    where all agree. Where signers, policy and approvals do not prove the promotion, `is_proven` is false.
    `profile_hash` is that of a reference profile that is kept apart from the model's files.
    """

    registered: RegisteredModel
    entry: Entry
    dispute: str = ""
    is_proven: bool = True
    profile_hash: str | None = None


class FollowedLedger:
    """Reads a ledger again and again; entries that were read are not read again.

    `name`, `model`, `overrides`, `scratch`, `entries` and `state` are those of a `ReadableLedger`.
    """

    def __init__(self, store: ModelStore, model: str) -> None:
        self._store, self.model = store, model
        self._chain = promotions_of(store.workspace, model)
        self.name, self.scratch = self._chain.name, store.workspace.root
        self.overrides = overrides_of(store.workspace, model)
        self.entries: list[Entry] = []
        self.state = LedgerState()
        self._looked_at, self._unproven = "", ""

    def champion(self) -> LedgerChampion:
        """Return the champion, and what disputes it in the registry; the files are not looked at.

        Raises:
            RequestError: there is no champion yet.
            ChampionDisputed: the ledger's champion is no longer in MLflow, or MLflow has one that the ledger lacks.
            ChainBroken: an entry was changed or removed.
        """
        self._read()
        aliased, head = self._registered()
        if head != self._head() or aliased != self.state.champion:
            # A promotion is under way or was killed; opening the ledger waits for the one and completes the other.
            opened = Ledger(self._store.workspace, self._store, self.model, allow_disagreement=True)
            self.entries, self.state = opened.entries, opened.state
            aliased, _ = self._registered()
        return self._compared(aliased)

    def last_proven(self) -> LedgerChampion:
        """Return the champion, or where its promotion is not proven, the last one before it whose promotion is.

        Raises:
            ChampionDisputed: there is none. Otherwise as `champion` does.
        """
        champion = self.champion()
        if champion.is_proven:
            return champion
        entry: Entry | None = champion.entry
        while entry is not None:
            state = ledger_state_of(self.entries[: entry.sequence - 1])
            version, entry = state.champion, state.champion_entry
            if version is None or entry is None:
                break
            if not failed_gates(state, version) and not any(authority_findings(self, entries_of_champion(state))):
                found = self._store.version(self.model, version)
                tags = {**found.tags, MODEL_HASH: _model_hash_of(state, version)}
                return LedgerChampion(replace(found, tags=tags), entry, champion.dispute)
        raise ChampionDisputed(f"{champion.dispute}; no earlier champion is proven either")

    def number(self) -> int | None:
        """Return the version that the ledger names as champion, None before the first promotion."""
        self._read()
        return self.state.champion

    def _read(self) -> None:
        for entry in self._chain.newer_than(self.state.last):
            self.state.add(entry)
            self.entries.append(entry)

    def _compared(self, aliased: int | None) -> LedgerChampion:
        champion, entry = self.state.champion, self.state.champion_entry
        if champion is None or entry is None:
            raise self._no_champion(aliased)
        since = f"the ledger names version {champion} since {_time_of(entry)} (entry {entry.sequence})"
        try:
            found = self._store.version(self.model, champion)
        except RequestError as error:
            earlier = self.state.champions[-2:-1]
            raise ChampionDisputed(
                f"{since}, and version {champion} was deleted in MLflow; restore it from a copy, or roll back with "
                f"`thinfile promote rollback version={earlier[0] if earlier else 'N'} why=...{self.overrides}`"
            ) from error
        recorded = _model_hash_of(self.state, champion)
        if failed := failed_gates(self.state, champion):
            roll_back = f"roll back with `thinfile promote rollback version=N why=...{self.overrides}`"
            return LedgerChampion(
                found, entry, f"{since}, although it failed the gate '{failed[0]}'; {roll_back}", is_proven=False
            )
        if unproven := self._without_authority():
            return LedgerChampion(found, entry, f"{since}, without authority: {unproven}", is_proven=False)
        registered = replace(found, tags={**found.tags, MODEL_HASH: recorded})
        mend = f"restore it with `thinfile promote rollback version={champion} why=...{self.overrides}`"
        if aliased != champion:
            names = "no version" if aliased is None else f"version {aliased}"
            return LedgerChampion(registered, entry, f"{since}, and MLflow's alias '{CHAMPION}' names {names}; {mend}")
        if (tag := found.tags.get(MODEL_HASH)) != recorded:
            dispute = (
                f"{since} with hash {recorded[:12]}, and its tag {MODEL_HASH} in MLflow is "
                f"'{tag[:12] if tag else 'missing'}'; {mend}"
            )
            return LedgerChampion(registered, entry, dispute)
        return LedgerChampion(registered, entry, profile_hash=_profile_hash_of(self.state, champion))

    def _without_authority(self) -> str:
        """Return why signers, policy and approvals do not prove the champion; empty where they do, or nobody signs.

        It is looked into again when the ledger has grown, or signers or revoked keys were changed.
        """
        signers = signers_of_environment(self._store.workspace.root)
        if signers is None and self.state.signers is None:
            return ""
        last = "" if self.state.last is None else self.state.last.hash
        looked_at = f"{last} {'' if signers is None else signers.state}"
        if looked_at != self._looked_at:
            findings = authority_findings(self, entries_of_champion(self.state))
            self._unproven, self._looked_at = next(findings, ""), looked_at
        return self._unproven

    def _no_champion(self, aliased: int | None) -> ThinfileError:
        if aliased is not None:
            return ChampionDisputed(
                f"MLflow's alias '{CHAMPION}' names version {aliased} of '{self.model}', and the ledger has promoted "
                f"none; remove the alias and judge it with `thinfile promote version={aliased}{self.overrides}`"
            )
        names = {model.name for model in self._store.client.search_registered_models()}
        hint = nearest(self.model, names) if self.model not in names else "run `thinfile promote` first"
        return RequestError(f"model '{self.model}' has no champion; {hint}")

    def _registered(self) -> tuple[int | None, str]:
        """Return the version with the alias champion and the registry's copy of the ledger's head, in one query."""
        aliases, tags = self._store.standing(self.model)
        return aliases.get(CHAMPION), tags.get(LEDGER_HEAD, "")

    def _head(self) -> str:
        last = self.state.last
        return "" if last is None else f"{last.sequence} {last.hash}"


def disputed_champion(store: ModelStore, model: str) -> LedgerChampion:
    """Return the champion with all that disputes it, its files included. Raises as `FollowedLedger.champion` does."""
    champion = FollowedLedger(store, model).champion()
    if champion.dispute:
        return champion
    finding = _changed(store, champion) or _profile_changed(store, champion)
    return replace(champion, dispute=finding) if finding else champion


def proven_champion(store: ModelStore, model: str) -> RegisteredModel:
    """Return the champion on which alias, ledger and files agree.

    Raises:
        RequestError: there is no champion yet.
        ChampionDisputed: they do not agree.
        ChainBroken: an entry of the ledger was changed or removed.
    """
    champion = disputed_champion(store, model)
    if champion.dispute:
        raise ChampionDisputed(champion.dispute)
    return champion.registered


def dispute_of(store: ModelStore, model: str) -> str:
    """Return what disputes the champion of a model; empty where all agree or there is none."""
    try:
        return disputed_champion(store, model).dispute
    except RequestError:
        return ""
    except ThinfileError as error:
        return str(error)


def with_dispute(outcome: Outcome, dispute: str) -> Outcome:
    """Return an outcome that begins with what disputes the champion, and then exits with 3."""
    if not dispute:
        return outcome
    return replace(
        outcome,
        result={**outcome.result, "champion_disputed": dispute},
        summary=[f"CHAMPION DISPUTED: {dispute}", *outcome.summary],
        exit_code=ExitCode.ANSWER_IS_NO if outcome.exit_code is ExitCode.DONE else outcome.exit_code,
    )


def _changed(store: ModelStore, champion: LedgerChampion) -> str:
    registered, entry = champion.registered, champion.entry
    recorded = registered.tags[MODEL_HASH]
    try:
        check = check_files(store.download(registered), recorded)
    except ThinfileError as error:
        finding = f"cannot be read: {error}"
    else:
        if check.is_intact:
            return ""
        files = listed(check.findings, MOST_NAMED)
        finding = f"were changed{': ' + files if files else ''} (hash {check.hash[:12]} instead of {recorded[:12]})"
    return (
        f"the files of version {registered.version}, champion since {_time_of(entry)} (entry {entry.sequence}), "
        f"{finding}; restore {registered.source} from a copy, or roll back to another version with `thinfile promote "
        f"rollback version=N why=...{overrides_of(store.workspace, registered.name)}`"
    )


def _profile_changed(store: ModelStore, champion: LedgerChampion) -> str:
    """Return that the reference profile of a model by another tool, which is kept apart, is not the recorded one."""
    if champion.profile_hash is None:
        return ""
    path = store.attached(champion.registered, PROFILE)
    if path is not None and hashlib.sha256(path.read_bytes()).hexdigest() == champion.profile_hash:
        return ""
    was = "was changed" if path is not None else "is missing"
    return (
        f"the {PROFILE} of version {champion.registered.version}, champion since {_time_of(champion.entry)} (entry "
        f"{champion.entry.sequence}), {was}; restore it from a copy"
    )


def failed_gates(state: LedgerState, version: int) -> list[str]:
    """Return the blocking gates that failed in the request of a version's last promotion: none unless it is forged."""
    request = state.requests[whole(state.promotions[version].content["request"])]
    gates = section(request.content, "evidence", "gates") or []
    return [str(gate["gate"]) for gate in gates if gate["blocking"] and not gate["passed"]]


def _profile_hash_of(state: LedgerState, version: int) -> str | None:
    """Return the hash of the reference profile that is attached to a version, None where it is among its files."""
    request = state.requests.get(whole(state.promotions[version].content["request"]))
    attached = None if request is None else section(request.content, "attached", PROFILE)
    return None if attached is None else str(attached)


def _model_hash_of(state: LedgerState, version: int) -> str:
    promotion = state.promotions[version]
    recorded = promotion.content.get("model_hash")
    return str(recorded or state.requests[int(str(promotion.content["request"]))].content["model_hash"])


def _time_of(entry: Entry) -> str:
    return f"{entry.written_at[:16].replace('T', ' ')} UTC"
