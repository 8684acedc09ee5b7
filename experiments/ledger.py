"""The promotion ledger: who was let through or refused, when and why; the champion is whom it promoted last."""

import getpass
import json
from collections.abc import Mapping

from pipelines.chain import Chain, ChainBroken, Entry
from pipelines.lock import exclusive
from pipelines.model_store.store import CHALLENGER, CHAMPION, ModelStore, RegisteredModel
from pipelines.workspace import Workspace

PROMOTED, REFUSED = "promoted", "refused"
HEAD = "thinfile.ledger_head"


class Ledger:
    """The decisions about one registered model.

    Its head is also kept in a tag of the registered model, so that a removed last entry is found.
    """

    def __init__(self, workspace: Workspace, store: ModelStore, model: str) -> None:
        self._chain = Chain(workspace.chain, f"promotions of {model}")
        self._store, self._model = store, model
        self._lock = workspace.chain.with_suffix(".lock")
        with exclusive(self._lock):
            self._entries = self._chain.entries()
            self._check_head()
            self._complete_last()

    @property
    def last_promotion(self) -> Entry | None:
        """The entry that made the champion."""
        return next((entry for entry in reversed(self._entries) if entry.content["decision"] == PROMOTED), None)

    def decide(self, decision: str, challenger: RegisteredModel, evidence: Mapping[str, object]) -> Entry:
        """Write a decision and carry it out.

        The entry comes first: killed after it, the next command finishes moving the alias. The same answer on the same
        evidence as the last one is that answer, not another.

        Raises:
            ChainConflict: somebody else decided since the ledger was read.
        """
        said = {"decision": decision, "version": challenger.version, "evidence": json.loads(json.dumps(evidence))}
        if self._entries and said.items() <= self._entries[-1].content.items():
            return self._entries[-1]
        content = said | {"by": getpass.getuser()}
        with exclusive(self._lock):
            self._entries.append(self._chain.append(content, after=len(self._entries)))
            self._complete_last()
        return self._entries[-1]

    def _complete_last(self) -> None:
        """Make the aliases say what the ledger says."""
        promotion = self.last_promotion
        if self._entries:
            last = self._entries[-1]
            self._store.client.set_registered_model_tag(self._model, HEAD, f"{last.sequence} {last.hash}")
        if promotion is None:
            return
        champion = self._store.version(self._model, int(str(promotion.content["version"])))
        if CHAMPION not in champion.aliases:
            self._store.set_alias(champion, CHAMPION)
        if CHALLENGER in champion.aliases:
            self._store.client.delete_registered_model_alias(self._model, CHALLENGER)

    def _check_head(self) -> None:
        head = self._store.model_tags(self._model).get(HEAD, "0 ")
        length, _, found = head.partition(" ")
        at = self._entries[int(length) - 1].hash if 0 < int(length) <= len(self._entries) else ""
        if found != at:
            raise ChainBroken(
                f"the ledger of '{self._model}' has {len(self._entries)} entries, MLflow's copy of its head names "
                f"entry {length}: entries were removed or replaced; restore chain.db from a copy"
            )
