"""Journals, records and the index of the service lose a person's decisions."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from pipelines.errors import RequestError
from pipelines.score_log.key import decision_ids
from pipelines.score_log.rolled_decisions import Rolled, RolledDecisions
from pipelines.storage.workspace import Workspace
from tests.pipelines.erasure.filled_workspace import APPLICATIONS, GONE, KEY, gone_decisions, rows_below


def test_decisions_that_wait_in_the_services_journal_stop_it(filled: Workspace, gone: Callable[..., Any]) -> None:
    journal = filled.root / "serving" / "journal" / "00000001.journal"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b'{"application_id":"APP-0001"}')
    before = rows_below(filled)
    with pytest.raises(RequestError, match="the service still has a decision of this customer in its journal"):
        gone()
    assert rows_below(filled) == before
    journal.write_bytes(b'{"application_id":"APP-0002"}')
    assert gone().result["erased"]


@pytest.mark.parametrize("customer", ["7", 'a"b\\', "ключ 1"])
def test_only_the_exact_id_in_a_journal_stops_it(customer: str, filled: Workspace, gone: Callable[..., Any]) -> None:
    journal = filled.root / "serving" / "journal" / "00000001.journal"
    journal.parent.mkdir(parents=True)
    row = {"customer_id": f"{customer}7", "application_id": "APP-7", "points": 7, "band": "7 to 9"}
    journal.write_bytes(msgspec.json.encode(row))
    assert gone(customer).exit_code == 0
    journal.write_bytes(b"\x01" + msgspec.json.encode(row | {"customer_id": f"{customer}-other"}))
    with pytest.raises(RequestError, match="the service still has a decision"):
        gone(f"{customer}-other")


def test_what_the_service_set_aside_is_erased_too(filled: Workspace, gone: Callable[..., Any]) -> None:
    aside = filled.root / "serving" / "contradicted.jsonl"
    aside.parent.mkdir()
    others = [b'{"row":{"customer_id":null,"application_id":"APP-0002"},"features":{}}', b"cut off {"]
    theirs = [b'{"row":{"customer_id":null,"application_id":"APP-0001"}}', b'{"customer_id":"%s"}' % GONE.encode()]
    aside.write_bytes(b"\n".join([theirs[0], *others, theirs[1]]) + b"\n")
    torn = [aside.with_name(f"00000001.torn-{number}") for number in (1, 2)]
    torn[0].write_bytes(b"\x01APP-0003\x02")
    torn[1].write_bytes(b"\x01APP-0004\x02")
    assert gone().result["rows"]["serving"] == 2
    assert aside.read_bytes() == b"\n".join(others) + b"\n"
    assert [path.exists() for path in torn] == [False, True]


def test_the_services_index_forgets_them(filled: Workspace, gone: Callable[..., Any]) -> None:
    others = set(decision_ids(KEY, "model", np.array(list(APPLICATIONS)))) - gone_decisions()
    everybody = [bytes.fromhex(one) for one in sorted(gone_decisions() | others)]
    rolled = RolledDecisions(filled.serving / "decided.db")
    rolled.add([Rolled(one[::-1], b"request", one, "a file") for one in everybody])
    gone()
    assert {one for one in everybody if rolled.of_decision(one)} == {bytes.fromhex(one) for one in others}
    rolled.close()
