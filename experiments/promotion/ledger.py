"""The promotion ledger: who asked, agreed, refused, promoted and rolled back, when and why; MLflow follows it."""

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
    """The registry says something else than the ledger: somebody changed it behind the ledger's back."""

    exit_code = 3


class PromotionConflict(ThinfileError):
    """Somebody else decided first: the request is closed, or the champion is not the one it was judged against."""

    exit_code = 3


class Ledger:
    """The decisions about one registered model.

    An entry comes first, then what follows from it: the alias `champion`, the versions' tags, and last the head, a tag
    of the registered model that says up to which entry all of that was done. All of it happens under one lock that dies
    with its holder. So whoever opens a ledger whose head is one entry behind finishes what a killed process began, and
    whoever finds the head at the end and the aliases elsewhere knows that somebody moved them.
    """

    def __init__(
        self, workspace: Workspace, store: ModelStore, model: str, *, allow_disagreement: bool = False
    ) -> None:
        """Open a ledger and finish what a killed process began.

        With `allow_disagreement` a ledger that the registry contradicts is opened too.

        Raises:
            ChainBroken: an entry was changed or removed.
            LedgerDisagrees: the registry does not say what the ledger says.
        """
        self._chain = Chain(workspace, f"promotions of {model}")
        self._store, self.model = store, model
        self._words = carried(PromoteSettings(workspace=str(workspace.root), model=model))
        self._registry = Registry(store, model, self._words)
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
        """Return how many other models were held against a champion on a test part, refused or not."""
        tried = {
            str(entry.content["model_hash"])
            for entry in self.entries
            if entry.content["decision"] in (REQUESTED, REFUSED)
            and entry.content["test_part"] == test_part
            and entry.content["champion"] is not None
        }
        return len(tried - {model_hash})

    def request(self, challenger: RegisteredModel, evidence: Mapping[str, Any], why: str) -> Entry:
        """Put the evidence beside the challenger and write a request, or a refusal when a blocking gate failed.

        The same answer on the same evidence as one that still holds is that one, not another.

        Raises:
            PromotionConflict: the champion is not the one it was judged against.
            RequestError: the challenger is the champion.
            ThinfileError: the challenger's files are not those that were judged.
        """
        attach_evidence(self._store, challenger, evidence)
        content = self._requested(challenger, evidence) | {"why": why}
        with self._exclusive():
            if challenger.version == self.state.champion:
                raise RequestError(f"version {challenger.version} is the champion already; ask for another version")
            self._require_champion(content["champion"], f"version {challenger.version}")
            same = self._same_answer(content)
            return same if same is not None else self._write(content)

    def approve(self, request: int, content: Mapping[str, object]) -> Entry:
        """Write an approval of an open request; a second one by the same person and key is the first one.

        Raises:
            PromotionConflict: the request is closed.
        """
        with self._exclusive():
            entry = self._require_open(request)
            for approval in self.state.approvals.get(request, []):
                told = ("by", "authenticated", "key")
                if all(approval.content[name] == content[name] for name in told):
                    return approval
            said = {"decision": APPROVED, "request": request, "version": entry.content["version"]}
            return self._write(said | dict(content))

    def promote(self, request: int, why: str = "") -> Entry:
        """Make the version of an open request the champion; asked again, that is the promotion that is there.

        Raises:
            PromotionConflict: the request is closed, or the champion is not the one it was judged against.
        """
        with self._exclusive():
            champion_entry = self.state.champion_entry
            if champion_entry is not None and champion_entry.content.get("request") == request:
                return champion_entry
            entry = self._require_open(request)
            self._require_champion(entry.content["champion"], f"request {request}")
            said = {"decision": PROMOTED, "request": request, "previous": self.state.champion, "why": why}
            return self._write(said | {name: entry.content[name] for name in ("version", "model_hash")})

    def roll_back(self, version: int, why: str, *, from_champion: int | None) -> Entry:
        """Make an earlier champion the champion again; said again with the same words, that is the entry that is there.

        To the champion that the ledger names it restores what somebody changed in the registry, and writes that down.

        Raises:
            PromotionConflict: the champion is not the one to go back from.
            RequestError: the version never was champion, or is it and nothing is to be restored.
        """
        with self._exclusive():
            said = {"decision": ROLLED_BACK, "version": version, "why": why}
            last = self.state.last
            if last is not None and not self.disagreements and said.items() <= last.content.items():
                return last
            self._require_champion({"version": from_champion}, "the rollback")
            if version not in self.state.promotions:
                known = ", ".join(map(str, self.state.promotions)) or "none"
                raise RequestError(
                    f"only to an earlier champion can be rolled back, received version {version} (champions so far: "
                    f"{known}); ask for it with `thinfile promote request version={version}{self._words}`"
                )
            if version == self.state.champion and not self.disagreements:
                raise RequestError(f"version {version} is the champion already; name another with version=N")
            mended = {"restored": self.disagreements} if self.disagreements else {}
            return self._write(said | {"from": self._registry.champion()} | mended)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Hold the ledger alone, as it is now, with the registry agreeing."""
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
        # Whoever writes has finished what was before: more than one entry behind is no crash.
        if behind == 1 and self._registry.is_on_the_way(ledger_state_of(self.entries[:done]), self.state):
            self._registry.follow(self.state)
            behind = 0
        self.disagreements = self._registry.disagreements(self.state, behind)

    def _write(self, content: Mapping[str, object]) -> Entry:
        """Append an entry and do what follows from it. The ledger is held alone."""
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
            known = ", ".join(map(str, self.state.open)) or "none"
            raise RequestError(
                f"entry {request} of the ledger of '{self.model}' is no request (open: {known}); "
                f"`thinfile promote history{self._words}` lists them"
            )
        closing = self.state.closed_by[request]
        version = self.state.requests[request].content["version"]
        raise PromotionConflict(
            f"request {request} is closed: entry {closing.sequence} {closing.content['decision']} version "
            f"{closing.content['version']}, and the champion has changed since or it was judged anew; ask again with "
            f"`thinfile promote request version={version}{self._words}`"
        )

    def _require_champion(self, judged_against: object, what: str) -> None:
        version = section({"champion": judged_against}, "champion", "version")
        if version != self.state.champion:
            raise PromotionConflict(
                f"the champion has changed since {what} was decided upon: {named(version)} then, "
                f"{named(self.state.champion)} now; somebody else decided first, run the command again"
            )

    def _requested(self, challenger: RegisteredModel, evidence: Mapping[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(json.dumps(evidence, default=str))
        about, gates = told["about"], told["gates"]
        folder = self._store.download(challenger)
        if model_hash(folder) != about["model_hash"]:
            raise ThinfileError(
                f"version {challenger.version} must have the files that were judged, received hash "
                f"{model_hash(folder)[:12]} instead of {about['model_hash'][:12]}; judge it again"
            )
        failed = any(gate["blocking"] and not gate["passed"] for gate in gates)
        return {
            "decision": REFUSED if failed else REQUESTED,
            "version": challenger.version,
            "files": file_hashes(folder),
            "evidence_hash": told["evidence_hash"],
            "evidence": {"about": about, "gates": gates},
        } | {name: about[name] for name in ("model_hash", "champion", "test_part", "policy_hash")}

    def _same_answer(self, content: Mapping[str, Any]) -> Entry | None:
        """Return the last answer about this version when it is the same and nothing has changed since."""
        last, champion_entry = self.state.judgements.get(content["version"]), self.state.champion_entry
        if last is None or (champion_entry is not None and champion_entry.sequence > last.sequence):
            return None
        same = all(last.content[name] == content[name] for name in ("decision", "evidence_hash"))
        return last if same else None
