"""One flipped byte, a removed entry, a moved alias: each is found, named and refused."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from experiments.promotion import actions as deciding
from experiments.promotion import verify as verifying
from experiments.promotion.settings import PromoteAction
from pipelines.command.verb import ExitCode, attempt
from pipelines.model_store.files import DOCUMENT
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHAMPION, STAGE
from pipelines.storage.postgresql import open_engine
from pipelines.storage.workspace import Workspace, sqlite_url
from tests.evidence.conftest import Evidence
from tests.experiments.ledgers import Book, flip
from tests.postgresql import fresh_database
from tests.real_parts import STORES

COLUMNS = ("chain", "sequence", "written_at", "content", "previous_hash", "hash")
PLACES = 40
"""How many bytes of a file or a cell are flipped, one at a time, at full size."""


@dataclass(frozen=True)
class Change:
    """Something done behind the ledger's back, how to undo it, what verify must say, and the command to refuse."""

    kind: str
    name: str
    told: str
    do: Callable[[], object]
    undo: Callable[[], object]
    refused: PromoteAction | None = PromoteAction.apply
    version: int | None = None


class Tampered:
    """A book with every kind of entry: version 1 is champion again after 2, 3 was refused, 4 is asked for."""

    def __init__(self, store: ModelStore) -> None:
        self.store = store
        self.book = Book(store, "tampered")
        self.book.promote(1)
        self.book.promote(2)
        self.book.roll_back(why="complaints")
        self.book.ask(3, passed=False)
        self.request = self.book.ask(4)
        deciding.approve(self.book.settings(PromoteAction.approve, why="seen"))
        database = store.workspace.database
        self.engine: Engine = open_engine(database) if database else create_engine(sqlite_url(store.workspace.chain))

    def execute(self, statement: str, **values: Any) -> Sequence[Any]:
        with self.engine.begin() as connection:
            answer = connection.execute(text(statement), values)
            return answer.all() if answer.returns_rows else []

    def is_found(self, change: Change) -> bool:
        """Return whether a change is named by verify with exit 3, and its command refused with exit 3."""
        change.do()
        try:
            verified = attempt(verifying.verify, self.book.settings(PromoteAction.verify))
            named = re.search(change.told, str(verified.result.get("findings")))
            return bool(named) and {verified.exit_code, self.refused(change)} == {ExitCode.ANSWER_IS_NO}
        finally:
            change.undo()

    def refused(self, change: Change) -> ExitCode:
        if change.refused is PromoteAction.apply:
            return attempt(deciding.apply, self.book.settings(change.refused, request=self.request)).exit_code
        if change.refused is PromoteAction.rollback:
            command = self.book.settings(change.refused, version=change.version, why="complaints of others")
            return attempt(deciding.rollback, command).exit_code
        return ExitCode.ANSWER_IS_NO


@pytest.fixture(params=STORES)
def tampered(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tampered:
    database = None
    if request.param == "postgresql":
        database = fresh_database(request.getfixturevalue("postgresql"))
    monkeypatch.setenv("THINFILE_DATABASE", database or "")
    return Tampered(ModelStore(Workspace(tmp_path / "workspace", database)))


def test_whatever_is_changed_is_found_named_and_refused(evidence: Evidence, tampered: Tampered) -> None:
    places = evidence.size(full=PLACES, reduced=1)
    tried, missed = Counter[str](), []
    for change in (*ledger_changes(tampered, places), *file_changes(tampered, places), *registry_changes(tampered)):
        tried[change.kind] += 1
        if not tampered.is_found(change):
            missed.append((change.kind, change.name))
    kept_in = "postgresql" if tampered.store.workspace.database else "sqlite"
    evidence.record(
        f"27-flipped-byte-{kept_in}",
        claim="one flipped bit in any column of the ledger, in a model's files or in its evidence, a removed last "
        "entry, a moved or deleted alias, a changed tag: found, named and refused (exit 3; ledger in "
        f"{kept_in})",
        value=f"{tried.total() - len(missed)} of {tried.total()} found "
        f"({', '.join(f'{kind}: {count}' for kind, count in tried.items())})",
        bound="all",
        holds=not missed,
    )
    assert not missed, missed
    # and undone, all is as it was
    assert tampered.book.findings() == []
    assert attempt(deciding.apply, tampered.book.settings(PromoteAction.apply)).exit_code is ExitCode.DONE


def spread(size: int, places: int) -> list[int]:
    """Return so many places, evenly from the first byte to the last; one place is the middle."""
    if places == 1:
        return [size // 2]
    return sorted({round(place * (size - 1) / (places - 1)) for place in range(places)})


def ledger_changes(tampered: Tampered, places: int) -> Iterator[Change]:
    rows = tampered.execute("select * from chain order by sequence")
    told = r"entry \d is not what was written|entries were removed"
    for row in rows if places > 1 else rows[::4]:
        for column in COLUMNS:
            for place in spread(len(str(row._mapping[column])), places):
                name = f"entry {row.sequence}, {column}, letter {place}"
                yield Change("ledger", name, told, *in_cell(tampered, dict(row._mapping), column, place))
    row = dict(rows[-1]._mapping)
    values = ", ".join(f":{column}" for column in COLUMNS)
    yield Change(
        "last entry removed",
        "",
        "entries were removed",
        lambda: tampered.execute("delete from chain where sequence = :sequence", sequence=row["sequence"]),
        lambda: tampered.execute(f"insert into chain ({', '.join(COLUMNS)}) values ({values})", **row),
    )


def in_cell(
    tampered: Tampered, row: dict[str, Any], column: str, place: int
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return what flips one bit of a cell, and what flips it back."""
    before = row[column]
    after = before ^ 64 if column == "sequence" else before[:place] + chr(ord(before[place]) ^ 1) + before[place + 1 :]

    def write(old: object, new: object) -> object:
        found = row | {column: old}
        where = "chain = :chain and sequence = :sequence"
        keys = {"chain": found["chain"], "sequence": found["sequence"]}
        return tampered.execute(f"update chain set {column} = :new where {where}", new=new, **keys)

    return lambda: write(before, after), lambda: write(after, before)


def files_of(tampered: Tampered, version: int) -> Iterator[tuple[str, Path]]:
    """Yield the files of a version's model and those attached to it, by name."""
    store, model = tampered.store, tampered.book.version(version)
    folder = store.download(model)
    yield from ((str(path.relative_to(folder)), path) for path in sorted(folder.rglob("*")) if path.is_file())
    for name in store.attached_names(model):
        path = store.attached(model, name)
        assert path is not None
        yield name, path


def file_changes(tampered: Tampered, places: int) -> Iterator[Change]:
    for version in (1, 2, 3, 4):
        for name, file in files_of(tampered, version):
            if name == "registered_model_meta" or (version > 2 and not name.startswith("promotion/")):
                continue  # MLflow's own note; tests/experiments/promotion/test_actions.py changes the others
            kind, refused = "model's files", PromoteAction.rollback
            if name.startswith("promotion/"):
                kind, refused = "evidence", PromoteAction.apply if version == 4 else None
            content = file.read_bytes()
            undo = lambda file=file, content=content: file.write_bytes(content)  # noqa: E731
            for place in spread(len(content), places):
                do = lambda file=file, place=place: flip(file, place)  # noqa: E731
                yield Change(kind, f"{name}, byte {place}", re.escape(name), do, undo, refused, version)
            if name != DOCUMENT:  # made of the rest, and made again by the next decision
                yield Change(kind, f"{name}, removed", re.escape(name), file.unlink, undo, refused, version)


def registry_changes(tampered: Tampered) -> Iterator[Change]:
    client, model = tampered.store.client, tampered.book.model

    def point_to(version: str) -> Callable[[], None]:
        return lambda: client.set_registered_model_alias(model, CHAMPION, version)

    def stage(value: str) -> Callable[[], None]:
        return lambda: client.set_model_version_tag(model, "3", STAGE, value)

    def drop() -> None:
        client.delete_registered_model_alias(model, CHAMPION)

    names = "the champion is version 1 in the ledger and"
    yield Change("alias moved", "", f"{names} version 3 in MLflow", point_to("3"), point_to("1"))
    yield Change("alias deleted", "", f"{names} no version in MLflow", drop, point_to("1"))
    yield Change(
        "tag changed",
        "",
        f"the tag {STAGE} of version 3 is 'champion' and must be 'refused'",
        stage("champion"),
        stage("refused"),
    )
