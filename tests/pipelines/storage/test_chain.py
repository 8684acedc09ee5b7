"""The chain: appended in order, one of several writers wins, any change is found; on SQLite and on PostgreSQL."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from pipelines.storage.chain import GENESIS, Chain, ChainBroken, ChainConflict, _hash
from pipelines.storage.postgresql import open_engine
from pipelines.storage.workspace import Workspace, sqlite_url

values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
HOLD = """
import sys, time
from pipelines.storage.chain import Chain
from pipelines.storage.workspace import Workspace
with Chain(Workspace.at(sys.argv[1]), "promotions of a").locked():
    print("holding", flush=True)
    time.sleep(600)
"""
contents = st.dictionaries(st.text(), values | st.lists(values, max_size=3), max_size=4)


def grown(workspace: Workspace, entries: int = 3) -> Chain:
    chain = Chain(workspace, "promotions of a")
    for number in range(entries):
        chain.append({"decision": number}, after=number)
    return chain


def test_entries_come_back_in_order_and_linked(either_workspace: Workspace) -> None:
    entries = grown(either_workspace).entries()
    assert [entry.content["decision"] for entry in entries] == [0, 1, 2]
    assert [entry.previous_hash for entry in entries] == [GENESIS, entries[0].hash, entries[1].hash]


@pytest.mark.parametrize(
    "change", [{"content": "not json"}, {"content": "null"}, {"content": "[1]"}, {"written_at": "yesterday"}]
)
def test_an_entry_with_the_right_hash_that_nobody_could_have_written_is_named(
    workspace: Workspace, change: dict[str, str]
) -> None:
    last = grown(workspace).entries()[-1]
    row = {"written_at": last.written_at, "content": '{"decision":2}'} | change
    hash_ = _hash("promotions of a", 3, row["written_at"], row["content"], last.previous_hash)
    engine = create_engine(sqlite_url(workspace.chain))
    with engine.begin() as connection:
        statement = "update chain set written_at = :written_at, content = :content, hash = :hash where sequence = 3"
        connection.execute(text(statement), row | {"hash": hash_})
    engine.dispose()
    with pytest.raises(ChainBroken, match="entry 3 has no time or no content that can be read; restore"):
        Chain(workspace, "promotions of a").entries()


def test_chains_of_one_database_do_not_mix(either_workspace: Workspace) -> None:
    grown(either_workspace)
    assert Chain(either_workspace, "promotions of b").entries() == []


def test_who_appends_after_an_outdated_end_gets_a_conflict(either_workspace: Workspace) -> None:
    chain = grown(either_workspace)
    with pytest.raises(ChainConflict, match="another command wrote first; run this one again"):
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
def test_any_change_is_found(either_workspace: Workspace, tampering: str) -> None:
    chain = grown(either_workspace)
    tamper(either_workspace, tampering)
    with pytest.raises(ChainBroken, match="is not what was written"):
        chain.entries()


def tamper(workspace: Workspace, statement: str, **values: object) -> Sequence[Any]:
    """Change the database as somebody would who has its password."""
    engine = open_engine(workspace.database) if workspace.database else create_engine(sqlite_url(workspace.chain))
    with engine.begin() as connection:
        answer = connection.execute(text(statement), values)
        rows = answer.all() if answer.returns_rows else []
    engine.dispose()
    return rows


def all_contents(workspace: Workspace) -> list[str]:
    return [row[0] for row in tamper(workspace, "select content from chain order by sequence")]


def rewrite(workspace: Workspace, sequence: int, content: str) -> None:
    tamper(
        workspace, "update chain set content = :content where sequence = :sequence", content=content, sequence=sequence
    )


def test_one_letter_changed_anywhere_in_a_content_is_found(either_workspace: Workspace) -> None:
    # given: {"by":"anna","decision":"refused"}
    chain = Chain(either_workspace, "promotions of a")
    chain.append({"decision": "refused", "by": "anna"}, after=0)
    (original,) = all_contents(either_workspace)
    letters = [place for place, letter in enumerate(original) if letter.isalpha()]
    for place in letters:
        rewrite(either_workspace, 1, original[:place] + "z" + original[place + 1 :])
        with pytest.raises(ChainBroken, match="entry 1 is not what was written"):
            chain.entries()
    rewrite(either_workspace, 1, original)
    assert len(chain.entries()) == 1


def test_nothing_can_be_appended_to_an_entry_that_is_not_what_was_written(either_workspace: Workspace) -> None:
    chain = grown(either_workspace)
    rewrite(either_workspace, 3, '{"decision":7}')
    with pytest.raises(ChainBroken):
        chain.append({"decision": 3}, after=3)
    assert len(all_contents(either_workspace)) == 3


def test_an_entry_of_another_chain_is_none_of_this_one(either_workspace: Workspace) -> None:
    # given a whole entry, written into another chain of the same database
    grown(either_workspace, entries=1)
    tamper(either_workspace, "update chain set chain = 'promotions of b'")
    with pytest.raises(ChainBroken):
        Chain(either_workspace, "promotions of b").entries()


def test_one_holder_at_a_time_until_it_is_done_or_dead(either_workspace: Workspace) -> None:
    # given eight that each read a number, wait a little, and write one more: undone by any other in between
    chains = [Chain(either_workspace, "promotions of a") for _ in range(8)]
    counted = [0]

    def count(chain: Chain) -> None:
        with chain.locked():
            seen = counted[0]
            time.sleep(0.01)
            counted[0] = seen + 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, chains))
    assert counted == [8]
    # and one that is killed while it holds: the next one is not kept waiting
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(either_workspace.root)],
        env=os.environ | {"THINFILE_DATABASE": either_workspace.database or ""},
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"holding\n"
    holder.kill()
    holder.communicate()
    with chains[0].locked():
        assert chains[0].append({"decision": 1}, after=0).sequence == 1


def test_of_writers_at_the_same_moment_exactly_one_wins(either_workspace: Workspace) -> None:
    # given eight that have all read the chain up to its third entry
    grown(either_workspace)
    chains = [Chain(either_workspace, "promotions of a") for _ in range(8)]
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
def test_any_content_comes_back_as_it_was_written(
    either_workspace: Workspace, written: list[dict[str, object]]
) -> None:
    chain = Chain(either_workspace, str(uuid4()))
    for number, content in enumerate(written):
        chain.append(content, after=number)
    assert [dict(entry.content) for entry in Chain(either_workspace, chain.name).entries()] == written


@pytest.mark.parametrize(
    "tampered",
    ['{"decision":"refused" }', '{"decision":"promoted","decision":"refused"}', '{"decision":"refuse\\u0064"}'],
    ids=["a blank", "a second key that other readers may take", "another spelling"],
)
def test_any_byte_changed_is_found(either_workspace: Workspace, tampered: str) -> None:
    chain = Chain(either_workspace, "promotions of a")
    chain.append({"decision": "refused"}, after=0)
    rewrite(either_workspace, 1, tampered)
    with pytest.raises(ChainBroken):
        chain.entries()


def test_a_content_that_is_no_json_any_more_is_found(either_workspace: Workspace) -> None:
    chain = grown(either_workspace)
    rewrite(either_workspace, 2, "decision: 7")
    with pytest.raises(ChainBroken):
        chain.entries()


def test_a_chain_nobody_touched_is_whole_whatever_its_keys(either_workspace: Workspace) -> None:
    chain = Chain(either_workspace, "promotions of a")
    chain.append({"rows by fold": {2: 10, 10: 2}}, after=0)
    assert len(chain.entries()) == 1


def test_a_file_that_is_no_database_any_more_is_found(workspace: Workspace) -> None:
    chain = grown(workspace)
    workspace.chain.write_bytes(b"X" + workspace.chain.read_bytes()[1:])
    with pytest.raises(ChainBroken, match="the database cannot be read"):
        chain.entries()
