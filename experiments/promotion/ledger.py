"""Writes the promotion ledger: every request, refusal, approval, promotion and rollback; MLflow follows it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from experiments.evidence.evidence_files import attach_evidence, attached_hashes, file_hashes
from experiments.promotion.earlier_tests import use_findings
from experiments.promotion.freshness import is_fresh
from pipelines.errors import AnswerIsNo, RequestError, ThinfileError
from pipelines.ledger.ledger import Ledger
from pipelines.ledger.ledger_state import (
    APPROVED,
    EXCEPTION,
    POLICY_SET,
    PROMOTED,
    REFUSED,
    REQUESTED,
    ROLLED_BACK,
    SIGNERS_SET,
    section,
)
from pipelines.ledger.registry import named
from pipelines.ledger.signatures import Signers
from pipelines.ledger.signing import Signer, require_signed
from pipelines.model_store.files import hash_as_recorded
from pipelines.model_store.rebuilding import registered_record
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import EXPERIMENT
from pipelines.policy.pack import PolicySettings, as_recorded, policy_hash
from pipelines.secrets.environment_text import to_record
from pipelines.storage.chain import GENESIS, Entry
from pipelines.storage.process import account


class PromotionConflict(AnswerIsNo):
    """Another decision came first: the request is closed, or the champion has changed since."""


class PromotionLedger(Ledger):
    """A ledger that decisions are written to; see `Ledger` for how it is opened."""

    def request(
        self,
        challenger: RegisteredModel,
        evidence: Mapping[str, Any],
        why: str,
        *,
        signer: Signer | None = None,
        exception: Mapping[str, object] | None = None,
    ) -> Entry:
        """Attach the evidence and write a request, or a refusal when a blocking gate failed.

        The same decision on the same evidence as the current one is not written again, as long as that is fresh.
        `exception` says which policy of the model was not applied.

        Raises:
            PromotionConflict: the champion has changed since the comparison, or the test part was used since.
            RequestError: the challenger is the champion.
            ThinfileError: the challenger's files were changed after the evidence was made.
        """
        attach_evidence(self._store, challenger, evidence)
        content = self._requested(challenger, evidence) | {"why": why}
        if exception is not None:
            content["exception"] = dict(exception)
        with self._exclusive():
            if challenger.version == self.state.champion:
                raise RequestError(f"version {challenger.version} is the champion already; request another version")
            self._require_champion(content["champion"], f"version {challenger.version}")
            self._require_use_of_test_part(evidence)
            same = self._same_answer(content)
            return same if same is not None else self._write(content, signer)

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

    def promote(self, request: int, why: str = "", *, signer: Signer | None = None) -> Entry:
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
            kept = {name: entry.content.get(name) for name in ("version", "model_hash", "experiment")}
            return self._write(decision | kept, signer)

    def roll_back(self, version: int, why: str, *, from_champion: int | None, signer: Signer | None = None) -> Entry:
        """Make an earlier champion the champion again; a repeated call with the same reason returns the existing entry.

        A rollback to the present champion restores the changes that somebody made in the registry, and records them.

        Raises:
            PromotionConflict: the champion is not `from_champion`.
            RequestError: the version never was champion, or is the champion and nothing needs to be restored.
        """
        require_signed(self, signer, "a rollback")
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
            return self._write(decision | {"from": self._registry.champion()} | restored, signer)

    def set_policy(self, policy: PolicySettings, why: str, *, signer: Signer | None = None) -> Entry:
        """Set the policy that versions of the model are judged by; the policy that is set already is not written again.

        Raises:
            NotSigned: the ledger has signers, and nobody signs.
        """
        require_signed(self, signer, "the policy of a model")
        with self._exclusive():
            if self.state.policy is not None and self.state.policy.hash == policy_hash(policy):
                return self.state.policy.entry
            about = {"policy_name": policy.name, "policy_hash": policy_hash(policy)}
            decision: dict[str, object] = {"decision": POLICY_SET, "why": why, "policy": as_recorded(policy)}
            return self._write(decision | about, signer)

    def except_version(self, version: int, policy: PolicySettings, why: str, *, signer: Signer | None = None) -> Entry:
        """Allow a version to be judged by another policy than that of the model; a repeated call changes nothing.

        Raises:
            NotSigned: the ledger has signers, and nobody signs.
        """
        require_signed(self, signer, "an exception")
        with self._exclusive():
            existing = self.state.exceptions.get((version, policy_hash(policy)))
            if existing is not None:
                return existing
            about = {"policy_name": policy.name, "policy_hash": policy_hash(policy)}
            return self._write({"decision": EXCEPTION, "version": version, "why": why} | about, signer)

    def record_signers(self, signers: Signers, signer: Signer, why: str) -> Entry:
        """Record the allowed signers; those that are recorded already are not written again.

        Raises:
            SignatureRefused: the key is not a valid one of the signers that were recorded before.
        """
        with self._exclusive():
            before = self.state.signers
            if before is not None and before.content["signers_hash"] == signers.hash:
                return before
            decision = {"decision": SIGNERS_SET, "why": why, "signers_hash": signers.hash, "signers": signers.text}
            if before is not None:
                earlier = Signers(
                    str(before.content["signers"]), f"the signers of entry {before.sequence}", self.scratch
                )
                signer = replace(signer, signers=replace(earlier, revoked=signers.revoked))
            return self._write(decision, signer)

    def _write(self, content: Mapping[str, object], signer: Signer | None = None) -> Entry:
        """Append an entry, signed where somebody signs, and carry it out, under the lock."""
        content = to_record(content)  # as it is written, for the signature covers that
        if signer is not None:
            content = signer.signed(content, self.name, self.entries[-1].hash if self.entries else GENESIS)
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
        what = f"{closing.content['decision']} version {closing.content.get('version')}"
        if closing.content["decision"] == POLICY_SET:
            what = f"set the policy '{closing.content['policy_name']}'"
        raise PromotionConflict(
            f"request {request} is closed: entry {closing.sequence} {what} after it; request again with "
            f"`thinfile promote request version={version}{self._overrides}`"
        )

    def _require_champion(self, judged_against: object, what: str) -> None:
        version = section({"champion": judged_against}, "champion", "version")
        if version != self.state.champion:
            raise PromotionConflict(
                f"the champion has changed from {named(version)} to {named(self.state.champion)} since {what} was "
                "compared with it; run the command again"
            )

    def _require_use_of_test_part(self, evidence: Mapping[str, Any]) -> None:
        finding = next(use_findings(self.entries, evidence), None)
        if finding:
            raise PromotionConflict(
                f"another judgement on the same test part was written while version {evidence['about']['version']} was "
                f"judged ({finding}); run the command again"
            )

    def _requested(self, challenger: RegisteredModel, evidence: Mapping[str, Any]) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(json.dumps(evidence, default=str))
        about, gates = record["about"], record["gates"]
        folder = self._store.download(challenger)
        actual = hash_as_recorded(folder, about["model_hash"])
        if actual != about["model_hash"]:
            raise ThinfileError(
                f"the files of version {challenger.version} were changed after the evidence was made (hash "
                f"{actual[:12]} instead of {about['model_hash'][:12]}); request again"
            )
        failed = any(gate["blocking"] and not gate["passed"] for gate in gates)
        return {
            "decision": REFUSED if failed else REQUESTED,
            "version": challenger.version,
            "experiment": challenger.tags.get(EXPERIMENT),
            "files": file_hashes(folder),
            "attached": attached_hashes(self._store, challenger),
            "registered": registered_record(self._store, challenger),
            "evidence_hash": record["evidence_hash"],
            "evidence": {"about": about, "gates": gates},
        } | {name: about[name] for name in ("model_hash", "champion", "test_part", "policy_hash")}

    def _same_answer(self, content: Mapping[str, Any]) -> Entry | None:
        """Return the last decision about this version if it is the same and the champion has not changed since."""
        last, champion_entry = self.state.judgements.get(content["version"]), self.state.champion_entry
        if last is None or (champion_entry is not None and champion_entry.sequence > last.sequence):
            return None
        same = all(last.content[name] == content[name] for name in ("decision", "evidence_hash"))
        days = section(content, "evidence", "about", "policy", "gates", "evidence_days")
        return last if same and is_fresh(last, days) else None
