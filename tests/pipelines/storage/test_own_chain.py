"""Workspaces that share a database have chains of their own, and find them again."""

import json
from pathlib import Path

import pytest

from pipelines.storage.chain import Chain
from pipelines.storage.chain_head import ChainHead
from pipelines.storage.own_chain import existing_own_chain, own_chain
from pipelines.storage.workspace import Workspace
from pipelines.storage.workspace_id import ensure_workspace_id, workspace_id
from tests.postgresql import fresh_database


def contents(workspace: Workspace) -> list[dict[str, object]]:
    chain = existing_own_chain(workspace, "reviews")
    return [] if chain is None else [dict(entry.content) for entry in chain.entries()]


def write(workspace: Workspace, number: int) -> None:
    chain = own_chain(workspace, "reviews")
    ChainHead(workspace, "reviews").move_to(chain.append({"number": number}, after=chain.length()), chain)


@pytest.fixture
def pair(tmp_path: Path, postgresql: str) -> tuple[Workspace, Workspace]:
    database = fresh_database(postgresql)
    return Workspace(tmp_path / "a", database), Workspace(tmp_path / "b", database)


def test_each_workspace_has_its_own_entries(pair: tuple[Workspace, Workspace]) -> None:
    a, b = pair
    write(a, 1)
    assert (contents(a), contents(b)) == ([{"number": 1}], [])
    write(b, 2)
    write(a, 3)
    assert (contents(a), contents(b)) == ([{"number": 1}, {"number": 3}], [{"number": 2}])


def test_reading_creates_nothing(pair: tuple[Workspace, Workspace], tmp_path: Path) -> None:
    assert contents(pair[0]) == []
    assert list(tmp_path.iterdir()) == []


def test_a_moved_workspace_finds_its_chain_again(pair: tuple[Workspace, Workspace], tmp_path: Path) -> None:
    write(pair[0], 1)
    pair[0].root.rename(tmp_path / "moved")
    assert contents(Workspace(tmp_path / "moved", pair[0].database)) == [{"number": 1}]


def test_the_chain_of_an_earlier_version_goes_on_where_it_was_written(pair: tuple[Workspace, Workspace]) -> None:
    # given: earlier versions named the chain for the whole database, and not in its head
    a, b = pair
    entry = Chain(a, "reviews").append({"number": 1}, after=0)
    head = ChainHead(a, "reviews").path
    head.parent.mkdir(parents=True)
    head.write_text(json.dumps({"entries": 1, "hash": entry.hash}))
    # then it stays that of the workspace with its head, and of no other
    write(a, 2)
    assert (contents(a), contents(b)) == ([{"number": 1}, {"number": 2}], [])


def test_a_workspace_alone_has_no_id(workspace: Workspace) -> None:
    write(workspace, 1)
    assert contents(workspace) == [{"number": 1}]
    assert workspace_id(workspace) is None


def test_an_id_is_drawn_once(workspace: Workspace) -> None:
    assert workspace_id(workspace) is None
    first = ensure_workspace_id(workspace)
    assert first == ensure_workspace_id(workspace) == workspace_id(workspace)
    assert workspace.identity.stat().st_mode & 0o077 == 0
