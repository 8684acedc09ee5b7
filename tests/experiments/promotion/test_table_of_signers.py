"""A promotion that signers in a table of PostgreSQL decide: keys count by that table alone."""

import pytest

from experiments.promotion import actions as deciding
from experiments.promotion import policies
from experiments.promotion.record_signers import record_signers
from experiments.promotion.settings import PromoteAction, PromoteSettings
from pipelines.ledger.approvals import ApprovalRefused
from pipelines.ledger.signatures import SignatureRefused
from pipelines.ledger.signing import SignersDiffer, signer_of
from pipelines.policy.pack import ApprovalSettings, PolicySettings
from tests.experiments.ledgers import Book, evidence_of
from tests.pipelines.ledger.test_signers import Table, table

__all__ = ["table"]

ONE = PolicySettings(name="one", approvals=ApprovalSettings(people=1, requester_may_approve=False, signed=True))


def test_keys_count_by_the_table_alone(book: Book, table: Table) -> None:
    def settings(action: PromoteAction, by: str | None = None) -> PromoteSettings:
        return book.settings(action, policy=ONE, key=None if by is None else str(table.key(by)), why="a test")

    def approve(by: str) -> None:
        deciding.approve(settings(PromoteAction.approve, by))

    for name in ("anna", "dora"):
        table.add(name)
    book.version(1)
    recorded = record_signers(settings(PromoteAction.signers, "anna"))
    assert "2 keys of table public.signers of postgresql" in recorded.summary[0]
    assert "s3cret" not in str(recorded)
    policies.set_policy(settings(PromoteAction.policy, "anna"))
    signer = signer_of(book.open(), str(table.key("dora")), "")
    book.open().request(book.version(1), evidence_of(book.version(1), policy=ONE), "", signer=signer)
    # who requests cannot approve, nor can a key that is in no row
    with pytest.raises(ApprovalRefused, match="dora made request 3 and may not approve it"):
        approve("dora")
    with pytest.raises(SignatureRefused, match=r"is not listed under a name in table public\.signers"):
        approve("carl")
    approve("anna")
    deciding.apply(settings(PromoteAction.apply))
    assert book.findings() == []
    # a key that is revoked in the table never counted
    table.execute("update signers set revoked = true where principal = 'anna'")
    assert any("('approved'): the signature of anna does not verify" in one for one in book.findings())
    table.execute("update signers set revoked = false")
    # a row that nobody recorded is named, and its key signs nothing
    table.add("carl")
    assert any("does not have the signers that the ledger of" in one for one in book.findings())
    with pytest.raises(SignersDiffer, match=r"table public\.signers of .* does not have the signers"):
        approve("carl")
