"""The promotion ledger of a registered model: its entries, the state after them, and whether MLflow agrees."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import AnswerIsNo
from pipelines.ledger.ledger_state import LedgerState, ledger_state_of
from pipelines.ledger.registry import Registry
from pipelines.model_store.promotions import overrides_of, promotions_of
from pipelines.model_store.store import ModelStore
from pipelines.storage.chain import Entry
from pipelines.storage.workspace import Workspace


class LedgerDisagrees(AnswerIsNo):
    """The registry contradicts the ledger: somebody changed aliases or tags in MLflow."""


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
        self._chain = promotions_of(workspace, model)
        self._store, self.model = store, model
        self._overrides = overrides_of(workspace, model)
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

    @property
    def overrides(self) -> str:
        """The overrides by which another command finds the ledger, each after a space."""
        return self._overrides

    @property
    def scratch(self) -> Path:
        """A folder for temporary files."""
        return self._store.workspace.root

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
