"""The promotion ledger: who asked, agreed, refused, promoted and rolled back, when and why; MLflow follows it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from experiments.exhibits import attach_evidence, file_hashes
from experiments.settings import PromoteSettings
from experiments.standing import (
    APPROVED,
    PROMOTED,
    REFUSED,
    REQUESTED,
    ROLLED_BACK,
    Standing,
    section,
    standing_of,
)
from pipelines.chain import Chain, ChainBroken, Entry
from pipelines.errors import RequestError, ThinfileError
from pipelines.model_store.packaging import model_hash
from pipelines.model_store.store import CHALLENGER, CHAMPION, MODEL_HASH, STAGE, ModelStore, RegisteredModel
from pipelines.process import account
from pipelines.verb import carried
from pipelines.workspace import Workspace

HEAD = "thinfile.ledger_head"


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

    def __init__(self, workspace: Workspace, store: ModelStore, model: str, *, forgiving: bool = False) -> None:
        """Open a ledger, finishing what a killed process began; `forgiving` opens one that the registry contradicts.

        Raises:
            ChainBroken: an entry was changed or removed.
            LedgerDisagrees: the registry does not say what the ledger says.
        """
        self._chain = Chain(workspace, f"promotions of {model}")
        self._store, self.model = store, model
        self._words = carried(PromoteSettings(workspace=str(workspace.root), model=model))
        self._forgiving = forgiving
        self.entries: list[Entry] = []
        self.standing = Standing()
        self.disagreements: list[str] = []
        with self._alone():
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
        with self._alone():
            if challenger.version == self.standing.champion:
                raise RequestError(f"version {challenger.version} is the champion already; ask for another version")
            self._require_champion(content["champion"], f"version {challenger.version}")
            same = self._same_answer(content)
            return same if same is not None else self._write(content)

    def approve(self, request: int, content: Mapping[str, object]) -> Entry:
        """Write an approval of an open request; a second one by the same person and key is the first one.

        Raises:
            PromotionConflict: the request is closed.
        """
        with self._alone():
            entry = self._require_open(request)
            for approval in self.standing.approvals.get(request, []):
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
        with self._alone():
            crowning = self.standing.crowning
            if crowning is not None and crowning.content.get("request") == request:
                return crowning
            entry = self._require_open(request)
            self._require_champion(entry.content["champion"], f"request {request}")
            said = {"decision": PROMOTED, "request": request, "previous": self.standing.champion, "why": why}
            return self._write(said | {name: entry.content[name] for name in ("version", "model_hash")})

    def roll_back(self, version: int, why: str, *, from_champion: int | None) -> Entry:
        """Make an earlier champion the champion again; said again with the same words, that is the entry that is there.

        To the champion that the ledger names it restores what somebody changed in the registry, and writes that down.

        Raises:
            PromotionConflict: the champion is not the one to go back from.
            RequestError: the version never was champion, or is it and nothing is to be restored.
        """
        with self._alone():
            said = {"decision": ROLLED_BACK, "version": version, "why": why}
            last = self.standing.last
            if last is not None and not self.disagreements and said.items() <= last.content.items():
                return last
            self._require_champion({"version": from_champion}, "the rollback")
            if version not in self.standing.crowned:
                known = ", ".join(map(str, self.standing.crowned)) or "none"
                raise RequestError(
                    f"only to an earlier champion can be rolled back, received version {version} (champions so far: "
                    f"{known}); ask for it with `thinfile promote request version={version}{self._words}`"
                )
            if version == self.standing.champion and not self.disagreements:
                raise RequestError(f"version {version} is the champion already; name another with version=N")
            found = self._store.aliased(self.model, CHAMPION)
            mended = {"restored": self.disagreements} if self.disagreements else {}
            return self._write(said | {"from": found.version if found else None} | mended)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the ledger alone, as it is now, with the registry agreeing."""
        with self._chain.exclusive():
            self._refresh()
            if self.disagreements and not self._forgiving:
                raise LedgerDisagrees("; ".join(self.disagreements))
            yield

    def _refresh(self) -> None:
        self.entries = self._chain.entries()
        self.standing = standing_of(self.entries)
        done = self._head()
        behind = len(self.entries) - done
        if behind == 1 and self._is_on_the_way(standing_of(self.entries[:done])):
            self._follow()
            behind = 0
        self.disagreements = self._disagreements(behind)

    def _write(self, content: Mapping[str, object]) -> Entry:
        """Append an entry and do what follows from it. The ledger is held alone."""
        entry = self._chain.append({"by": account()} | dict(content), after=len(self.entries))
        self.entries.append(entry)
        self.standing.take(entry)
        self._follow()
        self.disagreements = []
        return entry

    def _follow(self) -> None:
        """Make the registry say what the ledger says; each step is done only where it is still to do, the head last."""
        versions = {model.version: model for model in self._store.versions(self.model)}
        champion = versions.get(self.standing.champion or 0)
        if champion is not None and CHAMPION not in champion.aliases:
            self._store.set_alias(champion, CHAMPION)
        if champion is not None and CHALLENGER in champion.aliases:
            self._store.client.delete_registered_model_alias(self.model, CHALLENGER)
        for number, tags in self._wanted_tags().items():
            if number in versions:
                held = versions[number].tags
                self._store.tag(versions[number], {key: tag for key, tag in tags.items() if held.get(key) != tag})
        for number in versions.keys() - self.standing.stages.keys():
            if STAGE in versions[number].tags:
                self._store.client.delete_model_version_tag(self.model, str(number), STAGE)
        last = self.entries[-1]
        self._store.client.set_registered_model_tag(self.model, HEAD, f"{last.sequence} {last.hash}")

    def _wanted_tags(self) -> dict[int, dict[str, str]]:
        """Return what the registry is to say about each version."""
        judged = self.standing.judged
        return {
            number: {STAGE: stage, MODEL_HASH: str(judged[number].content["model_hash"])}
            for number, stage in self.standing.stages.items()
        }

    def _head(self) -> int:
        """Return up to which entry everything was done. Raises ChainBroken when that entry is gone or another."""
        mark = self._store.model_tags(self.model).get(HEAD, "0 ")
        length, _, found = mark.partition(" ")
        done = int(length) if length.isdigit() else len(self.entries) + 1
        at = self.entries[done - 1].hash if 0 < done <= len(self.entries) else ""
        if found != at or done > len(self.entries):
            raise ChainBroken(
                f"the ledger of '{self.model}' has {len(self.entries)} entries, the registry's copy of its head names "
                f"entry {length} ({found[:12]}): entries were removed or replaced; restore the chain's database from a "
                "copy"
            )
        return done

    def _is_on_the_way(self, before: Standing) -> bool:
        """Return whether the alias is where it was before the last entry, or where it belongs after."""
        found = self._store.aliased(self.model, CHAMPION)
        places: list[object] = [before.champion, self.standing.champion]
        if self.entries[-1].content["decision"] == ROLLED_BACK:
            places.append(self.entries[-1].content["from"])
        return (found.version if found else None) in places

    def _disagreements(self, behind: int) -> list[str]:
        """Return where the registry does not say what the ledger says, each with what to do."""
        versions = {model.version: model for model in self._store.versions(self.model)}
        champion = self.standing.champion
        aliased = next((number for number, model in versions.items() if CHAMPION in model.aliases), None)
        found = []
        if behind:
            found.append(f"the registry's copy of the ledger's head is {behind} entries behind; {self._remedy()}")
        if champion is not None and champion not in versions:
            found.append(f"version {champion}, the champion by the ledger, was deleted; {self._another()}")
        elif aliased != champion:
            found.append(
                f"the ledger names {_version(champion)} as champion, MLflow's alias names {_version(aliased)}; "
                + self._remedy()
            )
        return found + self._wrong_tags(versions)

    def _wrong_tags(self, versions: Mapping[int, RegisteredModel]) -> list[str]:
        wanted = self._wanted_tags()
        return [
            f"the tag {key} of version {number} must be '{wanted.get(number, {}).get(key, 'none')}' by the ledger, "
            f"received '{model.tags.get(key, 'none')}'; {self._remedy()}"
            for number, model in versions.items()
            for key in {STAGE, *wanted.get(number, {})}
            if model.tags.get(key) != wanted.get(number, {}).get(key)
        ]

    def _remedy(self) -> str:
        """Return the command that restores what the ledger says and writes down that it had been changed."""
        champion = self.standing.champion
        if champion is None:
            return "undo the change in MLflow: only the ledger says who is champion and what stage a version is in"
        return f"restore it with `thinfile promote rollback version={champion} why=...{self._words}`"

    def _another(self) -> str:
        earlier = self.standing.reign[-2:-1]
        number = str(earlier[0]) if earlier else "N"
        return f"go back to an earlier one with `thinfile promote rollback version={number} why=...{self._words}`"

    def _require_open(self, request: int) -> Entry:
        entry = self.standing.open.get(request)
        if entry is not None:
            return entry
        if request not in self.standing.requests:
            known = ", ".join(map(str, self.standing.open)) or "none"
            raise RequestError(
                f"entry {request} of the ledger of '{self.model}' is no request (open: {known}); "
                f"`thinfile promote history{self._words}` lists them"
            )
        closing = self.standing.closed_by[request]
        version = self.standing.requests[request].content["version"]
        raise PromotionConflict(
            f"request {request} is closed: entry {closing.sequence} {closing.content['decision']} version "
            f"{closing.content['version']}, and the champion has changed since or it was judged anew; ask again with "
            f"`thinfile promote request version={version}{self._words}`"
        )

    def _require_champion(self, judged_against: object, what: str) -> None:
        version = section({"champion": judged_against}, "champion", "version")
        if version != self.standing.champion:
            raise PromotionConflict(
                f"the champion has changed since {what} was decided upon: {_version(version)} then, "
                f"{_version(self.standing.champion)} now; somebody else decided first, run the command again"
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
        last, crowning = self.standing.judged.get(content["version"]), self.standing.crowning
        if last is None or (crowning is not None and crowning.sequence > last.sequence):
            return None
        same = all(last.content[name] == content[name] for name in ("decision", "evidence_hash"))
        return last if same else None


def _version(number: int | None) -> str:
    return "no version" if number is None else f"version {number}"
