"""One folder holds all that is written; a database is there whole or not at all."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import pytest

from pipelines.storage.workspace import Workspace, new_sqlite


def built(path: Path, content: str) -> None:
    with new_sqlite(path) as fresh, closing(sqlite3.connect(fresh)) as connection, connection:
        connection.execute("create table told (content text)")
        connection.execute("insert into told values (?)", (content,))


def told(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_everything_lies_below_one_absolute_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workspace = Workspace.at("here")
    places = {name: getattr(workspace, name) for name, kind in vars(Workspace).items() if isinstance(kind, property)}
    assert workspace.root == tmp_path / "here"
    assert all(place.is_relative_to(workspace.root) for place in places.values())
    assert len(set(places.values())) == len(places)
    assert not workspace.root.exists()


def test_a_new_database_holds_what_was_built_and_can_be_read_while_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.db"
    built(path, "first")
    assert told(path, "select content from told") == [("first",)]
    assert told(path, "pragma journal_mode") == [("wal",)]
    assert [left.name for left in path.parent.iterdir()] == ["a.db"]


def test_a_database_half_built_is_not_there(tmp_path: Path) -> None:
    def fail() -> None:
        with new_sqlite(tmp_path / "a.db") as fresh:
            fresh.write_text("half")
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_of_several_builders_the_first_one_wins(tmp_path: Path) -> None:
    # given eight that have all built before any links its database into place
    path, everybody = tmp_path / "a.db", Barrier(8)

    def build(number: int) -> None:
        with new_sqlite(path) as fresh:
            with closing(sqlite3.connect(fresh)) as connection, connection:
                connection.execute("create table told as select ? as content", (number,))
            everybody.wait()

    threads = [Thread(target=build, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # then one of them is there, whole, and the next one changes nothing
    (winner,) = told(path, "select content from told")
    built(path, "late")
    assert told(path, "select content from told") == [winner]
    assert not list(tmp_path.glob(".scratch*"))
