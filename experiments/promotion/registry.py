"""What the registry is to say by the ledger: the alias champion, the tags of versions, and the head that it keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.promotion.ledger_state import ROLLED_BACK, LedgerState
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHALLENGER, CHAMPION, MODEL_HASH, STAGE
from pipelines.storage.chain import ChainBroken, Entry

HEAD = "thinfile.ledger_head"


@dataclass(frozen=True)
class Registry:
    """MLflow's side of a ledger: one registered model. `words` are the overrides of a next command."""

    store: ModelStore
    model: str
    words: str

    def done(self, entries: Sequence[Entry]) -> int:
        """Return up to which entry everything was done. Raises ChainBroken when that entry is gone or another."""
        length, _, found = self.store.model_tags(self.model).get(HEAD, "0 ").partition(" ")
        done = int(length) if length.isdigit() else len(entries) + 1
        at = entries[done - 1].hash if 0 < done <= len(entries) else ""
        if found != at or done > len(entries):
            raise ChainBroken(
                f"the ledger of '{self.model}' has {len(entries)} entries, the registry's copy of its head names entry "
                f"{length} ({found[:12]}): entries were removed or replaced; restore the chain's database from a copy"
            )
        return done

    def is_on_the_way(self, before: LedgerState, after: LedgerState) -> bool:
        """Return whether the alias is where it was before the last entry, or where it belongs after."""
        places: list[object] = [before.champion, after.champion]
        if after.last is not None and after.last.content["decision"] == ROLLED_BACK:
            places.append(after.last.content["from"])
        return self.champion() in places

    def champion(self) -> int | None:
        """Return the version that the alias names."""
        found = self.store.aliased(self.model, CHAMPION)
        return found.version if found else None

    def follow(self, state: LedgerState) -> None:
        """Say what the ledger says; each step is done only where it is still to do, the head last."""
        versions = {model.version: model for model in self.store.versions(self.model)}
        champion = versions.get(state.champion or 0)
        if champion is not None and CHAMPION not in champion.aliases:
            self.store.set_alias(champion, CHAMPION)
        if champion is not None and CHALLENGER in champion.aliases:
            self.store.client.delete_registered_model_alias(self.model, CHALLENGER)
        wanted = _tags(state)
        for number, version in versions.items():
            said = wanted.get(number, {})
            self.store.tag(version, {key: tag for key, tag in said.items() if version.tags.get(key) != tag})
            if STAGE in version.tags and STAGE not in said:
                self.store.client.delete_model_version_tag(self.model, str(number), STAGE)
        if state.last is not None:
            mark = f"{state.last.sequence} {state.last.hash}"
            self.store.client.set_registered_model_tag(self.model, HEAD, mark)

    def disagreements(self, state: LedgerState, behind: int) -> list[str]:
        """Return where the registry does not say what the ledger says, each with what to do."""
        versions = {model.version: model for model in self.store.versions(self.model)}
        champion, found = state.champion, []
        aliased = next((number for number, model in versions.items() if CHAMPION in model.aliases), None)
        if behind:
            entries = "1 entry" if behind == 1 else f"{behind} entries"
            found.append(f"the registry's copy of the ledger's head is {entries} behind; {self._remedy(champion)}")
        if champion is not None and champion not in versions:
            found.append(f"version {champion}, the champion by the ledger, was deleted; {self._another(state)}")
        elif aliased != champion:
            found.append(
                f"the ledger names {named(champion)} as champion, MLflow's alias names {named(aliased)}; "
                + self._remedy(champion)
            )
        return found + self._wrong_tags(state, versions)

    def _wrong_tags(self, state: LedgerState, versions: Mapping[int, RegisteredModel]) -> list[str]:
        wanted = _tags(state)
        return [
            f"the tag {key} of version {number} must be '{wanted.get(number, {}).get(key, 'none')}' by the ledger, "
            f"received '{model.tags.get(key, 'none')}'; {self._remedy(state.champion)}"
            for number, model in versions.items()
            for key in sorted({STAGE, *wanted.get(number, {})})
            if model.tags.get(key) != wanted.get(number, {}).get(key)
        ]

    def _remedy(self, champion: int | None) -> str:
        """Return the command that restores what the ledger says and writes down that it had been changed."""
        if champion is None:
            return "undo the change in MLflow: only the ledger says who is champion and what stage a version is in"
        return f"restore it with `thinfile promote rollback version={champion} why=...{self.words}`"

    def _another(self, state: LedgerState) -> str:
        earlier = state.champions[-2:-1]
        number = str(earlier[0]) if earlier else "N"
        return f"go back to an earlier one with `thinfile promote rollback version={number} why=...{self.words}`"


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
