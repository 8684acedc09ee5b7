"""The chain: appended in order, one of several writers wins, any change is found."""

import sqlite3
from pathlib import Path

import pytest

from pipelines.chain import GENESIS, Chain, ChainBroken, ChainConflict


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chain.db"


def grown(path: Path, entries: int = 3) -> Chain:
    chain = Chain(path, "promotions of a")
    for number in range(entries):
        chain.append({"decision": number}, after=number)
    return chain


def test_entries_come_back_in_order_and_linked(path: Path) -> None:
    entries = grown(path).entries()
    assert [entry.content["decision"] for entry in entries] == [0, 1, 2]
    assert [entry.previous_hash for entry in entries] == [GENESIS, entries[0].hash, entries[1].hash]


def test_chains_of_one_database_do_not_mix(path: Path) -> None:
    grown(path)
    assert Chain(path, "promotions of b").entries() == []


def test_who_appends_after_an_outdated_end_gets_a_conflict(path: Path) -> None:
    chain = grown(path)
    with pytest.raises(ChainConflict, match="somebody else decided first; run the command again"):
        chain.append({"decision": "late"}, after=2)
    assert len(chain.entries()) == 3


@pytest.mark.parametrize(
    "tampering",
    [
        "update chain set content = replace(content, '1', '7') where sequence = 2",
        "update chain set written_at = '2020-01-01' where sequence = 1",
        "update chain set sequence = 9 where sequence = 3",
        "delete from chain where sequence = 1",
        "update chain set previous_hash = hash where sequence = 2",
    ],
)
def test_any_change_is_found(path: Path, tampering: str) -> None:
    chain = grown(path)
    with sqlite3.connect(path) as connection:
        connection.execute(tampering)
    connection.close()
    with pytest.raises(ChainBroken, match="is not what was written"):
        chain.entries()
