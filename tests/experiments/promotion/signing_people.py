"""People with ssh keys, and a ledger that has recorded them as its signers."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from experiments.promotion.record_signers import record_signers
from experiments.promotion.settings import PromoteAction
from pipelines.ledger.signers import VARIABLE
from pipelines.ledger.signing import signer_of
from pipelines.policy.pack import PolicySettings
from tests.experiments.ledgers import Book, evidence_of
from tests.experiments.promotion.test_signatures import key_of, list_keys


class People:
    """People with keys; the first ones are listed as signers of a ledger."""

    def __init__(self, book: Book, folder: Path, monkeypatch: pytest.MonkeyPatch, listed: Sequence[str]) -> None:
        self.book, self.folder = book, folder
        self.file = list_keys(folder / "allowed", *((name, self.key(name)) for name in listed))
        monkeypatch.setenv(VARIABLE, str(self.file))
        book.version(1)
        self.record(listed[0])

    def key(self, name: str) -> Path:
        path = self.folder / name
        return path if path.exists() else key_of(self.folder, name)

    def record(self, name: str) -> None:
        record_signers(self.book.settings(PromoteAction.signers, key=str(self.key(name)), why="as of today"))

    def list(self, *names: str) -> None:
        list_keys(self.file, *((name, self.key(name)) for name in names))

    def ask(self, version: int, policy: PolicySettings, by: str | None = "dora") -> int:
        """Request a version and return the entry's number."""
        ledger, challenger = self.book.open(), self.book.version(version)
        champion = ledger.state.champion
        against = None if champion is None else self.book.version(champion)
        signer = signer_of(ledger, None if by is None else str(self.key(by)), "")
        return ledger.request(challenger, evidence_of(challenger, against, policy=policy), "", signer=signer).sequence
