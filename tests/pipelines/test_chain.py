"""The chain: appended in order, one of several writers wins, any change is found."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.chain import GENESIS, Chain, ChainBroken, ChainConflict

values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
contents = st.dictionaries(st.text(), values | st.lists(values, max_size=3), max_size=4)


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


def all_contents(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("select content from chain order by sequence")]


def rewrite(path: Path, sequence: int, content: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update chain set content = ? where sequence = ?", (content, sequence))


def test_one_letter_changed_anywhere_in_a_content_is_found(path: Path) -> None:
    # given: {"by":"anna","decision":"refused"}
    chain = Chain(path, "promotions of a")
    chain.append({"decision": "refused", "by": "anna"}, after=0)
    (original,) = all_contents(path)
    letters = [place for place, letter in enumerate(original) if letter.isalpha()]
    for place in letters:
        rewrite(path, 1, original[:place] + "z" + original[place + 1 :])
        with pytest.raises(ChainBroken, match="entry 1 is not what was written"):
            chain.entries()
    rewrite(path, 1, original)
    assert len(chain.entries()) == 1


def test_nothing_can_be_appended_to_a_broken_chain(path: Path) -> None:
    chain = grown(path)
    rewrite(path, 2, '{"decision":7}')
    with pytest.raises(ChainBroken):
        chain.append({"decision": 3}, after=3)
    assert len(all_contents(path)) == 3


def test_of_writers_at_the_same_moment_exactly_one_wins(path: Path) -> None:
    # given eight that have all read the chain up to its third entry
    grown(path)
    chains = [Chain(path, "promotions of a") for _ in range(8)]
    start = Barrier(len(chains))

    def append(number: int) -> bool:
        start.wait()
        try:
            chains[number].append({"decision": number}, after=3)
        except ChainConflict:
            return False
        return True

    # when they all write
    with ThreadPoolExecutor(len(chains)) as pool:
        won = list(pool.map(append, range(len(chains))))
    # then the chain has one entry more, the winner's
    assert sum(won) == 1
    entries = chains[0].entries()
    assert len(entries) == 4
    assert entries[-1].content["decision"] == won.index(True)


@given(st.lists(contents, max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_content_comes_back_as_it_was_written(tmp_path: Path, written: list[dict[str, object]]) -> None:
    path = tmp_path / f"{uuid4()}.db"
    chain = Chain(path, "anything")
    for number, content in enumerate(written):
        chain.append(content, after=number)
    assert [dict(entry.content) for entry in Chain(path, "anything").entries()] == written


@pytest.mark.parametrize(
    "tampered",
    ['{"decision":"refused" }', '{"decision":"promoted","decision":"refused"}', '{"decision":"refuse\\u0064"}'],
    ids=["a blank", "a second key that other readers may take", "another spelling"],
)
def test_any_byte_changed_is_found(path: Path, tampered: str) -> None:
    chain = Chain(path, "promotions of a")
    chain.append({"decision": "refused"}, after=0)
    rewrite(path, 1, tampered)
    with pytest.raises(ChainBroken):
        chain.entries()


def test_a_content_that_is_no_json_any_more_is_found(path: Path) -> None:
    chain = grown(path)
    rewrite(path, 2, "decision: 7")
    with pytest.raises(ChainBroken):
        chain.entries()


def test_a_chain_nobody_touched_is_whole_whatever_its_keys(path: Path) -> None:
    chain = Chain(path, "promotions of a")
    chain.append({"rows by fold": {2: 10, 10: 2}}, after=0)
    assert len(chain.entries()) == 1
