"""Keeps MLflow's registry in step with the ledger: the alias champion, the tags of versions, the ledger's head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.ledger.ledger_state import ROLLED_BACK, LedgerState
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHALLENGER, CHAMPION, LEDGER_HEAD, MODEL_HASH, STAGE
from pipelines.storage.chain import ChainBroken, Entry


@dataclass(frozen=True)
class Registry:
    """The registered model of a ledger. `overrides` are those of a next command."""

    store: ModelStore
    model: str
    overrides: str

    def done(self, entries: Sequence[Entry]) -> int:
        """Return the number of entries carried out. Raises ChainBroken when the last of them is missing or changed."""
        length, _, head = self.store.standing(self.model)[1].get(LEDGER_HEAD, "0 ").partition(" ")
        done = int(length) if length.isdigit() else len(entries) + 1
        expected = entries[done - 1].hash if 0 < done <= len(entries) else ""
        if head != expected or done > len(entries):
            raise ChainBroken(
                f"the ledger of '{self.model}' has {len(entries)} entries, and the registry's copy of its head is "
                f"entry {length} ({head[:12]}): entries were removed or replaced; restore the database from a copy"
            )
        return done

    def is_on_the_way(self, before: LedgerState, after: LedgerState) -> bool:
        """Return whether the alias is that of before or after the last entry."""
        champions: list[object] = [before.champion, after.champion]
        if after.last is not None and after.last.content["decision"] == ROLLED_BACK:
            champions.append(after.last.content["from"])
        return self.champion() in champions

    def champion(self) -> int | None:
        """Return the version with the alias champion."""
        return self.store.standing(self.model)[0].get(CHAMPION)

    def follow(self, state: LedgerState) -> None:
        """Set aliases and tags by the ledger, the head last; steps that are already done are skipped."""
        versions = {model.version: model for model in self.store.versions(self.model)}
        champion = versions.get(state.champion or 0)
        if champion is not None and CHAMPION not in champion.aliases:
            self.store.set_alias(champion, CHAMPION)
        if champion is not None and CHALLENGER in champion.aliases:
            self.store.client.delete_registered_model_alias(self.model, CHALLENGER)
        expected = _tags(state)
        for number, version in versions.items():
            tags = expected.get(number, {})
            self.store.tag(version, {key: tag for key, tag in tags.items() if version.tags.get(key) != tag})
            if STAGE in version.tags and STAGE not in tags:
                self.store.client.delete_model_version_tag(self.model, str(number), STAGE)
        if state.last is not None:
            mark = f"{state.last.sequence} {state.last.hash}"
            self.store.client.set_registered_model_tag(self.model, LEDGER_HEAD, mark)

    def disagreements(self, state: LedgerState, behind: int) -> list[str]:
        """Return each contradiction between registry and ledger, with its remedy."""
        versions = {model.version: model for model in self.store.versions(self.model)}
        champion, findings = state.champion, []
        aliased = next((number for number, model in versions.items() if CHAMPION in model.aliases), None)
        if behind:
            entries = "1 entry" if behind == 1 else f"{behind} entries"
            findings.append(f"the registry's copy of the ledger's head is {entries} behind; {self._remedy(champion)}")
        if champion is not None and champion not in versions:
            findings.append(f"version {champion}, the champion in the ledger, was deleted; {self._another(state)}")
        elif aliased != champion:
            findings.append(
                f"the champion is {named(champion)} in the ledger and {named(aliased)} in MLflow; "
                + self._remedy(champion)
            )
        return findings + self._wrong_tags(state, versions)

    def _wrong_tags(self, state: LedgerState, versions: Mapping[int, RegisteredModel]) -> list[str]:
        expected = _tags(state)
        return [
            f"the tag {key} of version {number} is '{model.tags.get(key, 'none')}' and must be "
            f"'{expected.get(number, {}).get(key, 'none')}' by the ledger; {self._remedy(state.champion)}"
            for number, model in versions.items()
            for key in sorted({STAGE, *expected.get(number, {})})
            if model.tags.get(key) != expected.get(number, {}).get(key)
        ]

    def _remedy(self, champion: int | None) -> str:
        """Return the command that restores the state of the ledger and records the change."""
        if champion is None:
            return "undo the change in MLflow: only the ledger sets the champion and the stages of versions"
        return f"restore it with `thinfile promote rollback version={champion} why=...{self.overrides}`"

    def _another(self, state: LedgerState) -> str:
        earlier = state.champions[-2:-1]
        number = str(earlier[0]) if earlier else "N"
        return f"roll back to another with `thinfile promote rollback version={number} why=...{self.overrides}`"


def named(number: int | None) -> str:
    """Return a version in words.

    >>> named(3), named(None)
    ('version 3', 'no version')
    """
    return "no version" if number is None else f"version {number}"


def _tags(state: LedgerState) -> dict[int, dict[str, str]]:
    return {
        number: {STAGE: stage, MODEL_HASH: str(state.judgements[number].content["model_hash"])}
        for number, stage in state.stages.items()
    }
