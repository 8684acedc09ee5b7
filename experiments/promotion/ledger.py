"""The promotion ledger: every request, refusal, approval, promotion and rollback; MLflow follows it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from experiments.evidence.evidence_files import attach_evidence, file_hashes
from experiments.promotion.ledger_state import (
    APPROVED,
    PROMOTED,
    REFUSED,
    REQUESTED,
    ROLLED_BACK,
    LedgerState,
    ledger_state_of,
    section,
)
from experiments.promotion.registry import Registry, named
from experiments.promotion.settings import PromoteSettings
from pipelines.command.verb import carried
from pipelines.errors import RequestError, ThinfileError
from pipelines.model_store.files import model_hash
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.storage.chain import Chain, Entry
from pipelines.storage.process import account
from pipelines.storage.workspace import Workspace


class LedgerDisagrees(ThinfileError):
    """The registry contradicts the ledger: somebody changed aliases or tags in MLflow."""

    exit_code = 3


class PromotionConflict(ThinfileError):
    """Another decision came first: the request is closed, or the champion has changed since."""

    exit_code = 3


class Ledger:
    """The decisions about one registered model.

    A decision is first appended as an entry. Then the registry follows: the alias `champion`, the tags of the versions,
    and last the head, a tag of the registered model with the number of the last entry that was carried out. All of it
    happens under one lock that is released when its process dies. A head one entry behind means that a process was
    killed, and opening the ledger completes its work; aliases that differ at the last entry were moved by somebody.
    """

    def __init__(
        self, workspace: Workspace, store: ModelStore, model: str, *, allow_disagreement: bool = False
    ) -> None:
        """Open a ledger and complete the work of a killed process.

        With `allow_disagreement` it also opens a ledger that the registry contradicts.

        Raises:
            ChainBroken: an entry was changed or removed.
            LedgerDisagrees: the registry contradicts the ledger.
        """
        self._chain = Chain(workspace, f"promotions of {model}")
        self._store, self.model = store, model
        self._overrides = carried(PromoteSettings(workspace=str(workspace.root), model=model))
        self._registry = Registry(store, model, self._overrides)
        self._allow_disagreement = allow_disagreement
        self.entries: list[Entry] = []
        self.state = LedgerState()
        self.disagreements: list[str] = []
        with self._exclusive():
            pass

    @property
    def name(self) -> str:
        """The name of the chain, which every signature covers."""
        return self._chain.name

    def tried_before(self, test_part: str, model_hash: str) -> int:
        """Return how many other models were compared with a champion on a test part, refused or not."""
        tried = {
            str(entry.content["model_hash"])
            for entry in self.entries
            if entry.content["decision"] in (REQUESTED, REFUSED)
            and entry.content["test_part"] == test_part
            and entry.content["champion"] is not None
        }
        return len(tried - {model_hash})

    def request(self, challenger: RegisteredModel, evidence: Mapping[str, Any], why: str) -> Entry:
        """Attach the evidence and write a request, or a refusal when a blocking gate failed.

        The same decision on the same evidence as the current one is not written again.

        Raises:
            PromotionConflict: the champion has changed since the comparison.
            RequestError: the challenger is the champion.
            ThinfileError: the challenger's files were changed after the evidence was made.
        """
        attach_evidence(self._store, challenger, evidence)
        content = self._requested(challenger, evidence) | {"why": why}
        with self._exclusive():
            if challenger.version == self.state.champion:
                raise RequestError(f"version {challenger.version} is the champion already; request another version")
            self._require_champion(content["champion"], f"version {challenger.version}")
            same = self._same_answer(content)
            return same if same is not None else self._write(content)

    def approve(self, request: int, content: Mapping[str, object]) -> Entry:
        """Write an approval of an open request; a repeated one by the same person and key is not written again.

        Raises:
            PromotionConflict: the request is closed.
        """
        with self._exclusive():
            entry = self._require_open(request)
            for approval in self.state.approvals.get(request, []):
                if all(approval.content[name] == content[name] for name in ("by", "authenticated", "key")):
                    return approval
            decision = {"decision": APPROVED, "request": request, "version": entry.content["version"]}
            return self._write(decision | dict(content))

    def promote(self, request: int, why: str = "") -> Entry:
        """Make the version of an open request the champion; a repeated call returns the existing promotion.

        Raises:
            PromotionConflict: the request is closed, or the champion has changed since the comparison.
        """
        with self._exclusive():
            champion_entry = self.state.champion_entry
            if champion_entry is not None and champion_entry.content.get("request") == request:
                return champion_entry
            entry = self._require_open(request)
            self._require_champion(entry.content["champion"], f"request {request}")
            decision = {"decision": PROMOTED, "request": request, "previous": self.state.champion, "why": why}
            return self._write(decision | {name: entry.content[name] for name in ("version", "model_hash")})

    def roll_back(self, version: int, why: str, *, from_champion: int | None) -> Entry:
        """Make an earlier champion the champion again; a repeated call with the same reason returns the existing entry.

        A rollback to the present champion restores the changes that somebody made in the registry, and records them.

        Raises:
            PromotionConflict: the champion is not `from_champion`.
            RequestError: the version never was champion, or is the champion and nothing needs to be restored.
        """
        with self._exclusive():
            decision = {"decision": ROLLED_BACK, "version": version, "why": why}
            last = self.state.last
            if last is not None and not self.disagreements and decision.items() <= last.content.items():
                return last
            self._require_champion({"version": from_champion}, "the rollback")
            if version not in self.state.promotions:
                champions = ", ".join(map(str, self.state.promotions)) or "none"
                raise RequestError(
                    f"rollback needs an earlier champion; version {version} never was one (champions so far: "
                    f"{champions}); request it with `thinfile promote request version={version}{self._overrides}`"
                )
            if version == self.state.champion and not self.disagreements:
                raise RequestError(f"version {version} is the champion already; name another with version=N")
            restored = {"restored": self.disagreements} if self.disagreements else {}
            return self._write(decision | {"from": self._registry.champion()} | restored)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Lock the ledger, read it again and check it against the registry."""
        with self._chain.locked():
            self._refresh()
            if self.disagreements and not self._allow_disagreement:
                raise LedgerDisagrees("; ".join(self.disagreements))
            yield

    def _refresh(self) -> None:
        self.entries = self._chain.entries()
        self.state = ledger_state_of(self.entries)
        done = self._registry.done(self.entries)
        behind = len(self.entries) - done
        # Every writer completes the entries before its own: more than one entry behind is not a crash.
        if behind == 1 and self._registry.is_on_the_way(ledger_state_of(self.entries[:done]), self.state):
            self._registry.follow(self.state)
            behind = 0
        self.disagreements = self._registry.disagreements(self.state, behind)

    def _write(self, content: Mapping[str, object]) -> Entry:
        """Append an entry and carry it out, under the lock."""
        entry = self._chain.append({"by": account()} | dict(content), after=len(self.entries))
        self.entries.append(entry)
        self.state.add(entry)
        self._registry.follow(self.state)
        self.disagreements = []
        return entry

    def _require_open(self, request: int) -> Entry:
        entry = self.state.open.get(request)
        if entry is not None:
            return entry
        if request not in self.state.requests:
            open_requests = ", ".join(map(str, self.state.open)) or "none"
            raise RequestError(
                f"entry {request} of the ledger of '{self.model}' is not a request (open requests: {open_requests}); "
                f"`thinfile promote history{self._overrides}` lists them"
            )
        closing = self.state.closed_by[request]
        version = self.state.requests[request].content["version"]
        raise PromotionConflict(
            f"request {request} is closed: entry {closing.sequence} {closing.content['decision']} version "
            f"{closing.content['version']} after it; request again with "
            f"`thinfile promote request version={version}{self._overrides}`"
        )

    def _require_champion(self, judged_against: object, what: str) -> None:
        version = section({"champion": judged_against}, "champion", "version")
        if version != self.state.champion:
            raise PromotionConflict(
                f"the champion has changed from {named(version)} to {named(self.state.champion)} since {what} was "
                "compared with it; run the command again"
            )

    def _requested(self, challenger: RegisteredModel, evidence: Mapping[str, Any]) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(json.dumps(evidence, default=str))
        about, gates = record["about"], record["gates"]
        folder = self._store.download(challenger)
        if model_hash(folder) != about["model_hash"]:
            raise ThinfileError(
                f"the files of version {challenger.version} were changed after the evidence was made (hash "
                f"{model_hash(folder)[:12]} instead of {about['model_hash'][:12]}); request again"
            )
        failed = any(gate["blocking"] and not gate["passed"] for gate in gates)
        return {
            "decision": REFUSED if failed else REQUESTED,
            "version": challenger.version,
            "files": file_hashes(folder),
            "evidence_hash": record["evidence_hash"],
            "evidence": {"about": about, "gates": gates},
        } | {name: about[name] for name in ("model_hash", "champion", "test_part", "policy_hash")}

    def _same_answer(self, content: Mapping[str, Any]) -> Entry | None:
        """Return the last decision about this version if it is the same and the champion has not changed since."""
        last, champion_entry = self.state.judgements.get(content["version"]), self.state.champion_entry
        if last is None or (champion_entry is not None and champion_entry.sequence > last.sequence):
            return None
        same = all(last.content[name] == content[name] for name in ("decision", "evidence_hash"))
        return last if same else None
