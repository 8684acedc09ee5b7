"""A query on a database is read in batches into one file, whatever types its batches have; passwords are not shown."""

import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.applications.settings import DataSettings, Source
from pipelines.applications.sources import opened_source
from pipelines.errors import ConfigurationError, DataError
from pipelines.reading import queries
from pipelines.reading.queries import opened_query
from pipelines.secrets.environment_text import EnvironmentText


def rows_of(database: str, query: str, root: Path) -> pa.Table:
    with opened_query(database, query, root, setting="data.query", database_setting="data.database") as path:
        return pq.read_table(path)


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """The address of a SQLite database with applications."""
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("create table applications (id integer, income, note text)")
        rows = [(2**60 + 1, None, "a:b"), (2, 10, "50%"), (3, 1.5, None), (4, "unknown", "x")]
        connection.executemany("insert into applications values (?, ?, ?)", rows)
    connection.close()
    return f"sqlite:///{tmp_path}/shop.db"


@pytest.mark.parametrize("at_once", [1, 2, 50_000])
def test_rows_are_the_same_in_batches_of_any_size(
    shop: str, tmp_path: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "AT_ONCE", at_once)
    table = rows_of(shop, "select * from applications where note is null or note <> ':x' order by id;", tmp_path)
    assert table.to_pydict() == {
        "id": [2, 3, 4, 2**60 + 1],
        "income": ["10", "1.5", "unknown", None],
        "note": ["50%", None, "x", "a:b"],
    }
    assert [one.name for one in tmp_path.iterdir()] == ["shop.db"]


def test_a_query_without_rows_has_its_columns(shop: str, tmp_path: Path) -> None:
    table = rows_of(shop, "select id, note from applications where id < 0 order by id", tmp_path)
    assert (table.column_names, len(table)) == (["id", "note"], 0)


def test_the_types_of_postgresql_stay(postgresql: str, tmp_path: Path) -> None:
    table = rows_of(
        postgresql,
        "select n::bigint as id, (n * 1.25)::numeric(12, 2) as amount, n::float8 / 3 as ratio, n % 2 = 0 as is_new, "
        "timestamptz '2026-10-01 10:00:00+02' as applied_at, date '2026-10-31' as day, "
        "case when n > 1 then 'a%b' end as note, gen_random_uuid()::text as key "
        "from generate_series(1, 120000) as n order by n",
        tmp_path,
    )
    assert len(table) == 120_000
    first = table.slice(1, 1).to_pylist()[0]
    assert (first["id"], first["amount"], first["ratio"], first["is_new"]) == (2, Decimal("2.50"), 2 / 3, True)
    assert first["applied_at"].astimezone(UTC) == datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert (str(first["day"]), first["note"]) == ("2026-10-31", "a%b")


def test_a_query_cannot_write_to_postgresql(postgresql: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^data.query cannot be run \(.*\); correct it$"):
        rows_of(postgresql, "create table harm as select 1", tmp_path)
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("create sequence counter")
    with pytest.raises(DataError, match=r"read-only transaction"):
        rows_of(postgresql, "select nextval('counter')", tmp_path)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select wage from applications", r"^data.query cannot be run \(no such column: wage\); correct it$"),
        ("select id, note as id from applications", r"^data.query returns two columns 'id'; give each its own name"),
        ("delete from applications", r"^data.query returns no rows and no columns; write one SELECT$"),
    ],
)
def test_a_wrong_query_is_explained_and_changes_nothing(shop: str, tmp_path: Path, query: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        rows_of(shop, query, tmp_path)
    assert len(rows_of(shop, "select * from applications order by id", tmp_path)) == 4


def test_a_password_is_taken_from_the_environment_and_never_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written = "postgresql://anna:hunter2@127.0.0.1:9/scores"
    with pytest.raises(ConfigurationError, match=r"^data.database has a password, .* set PGPASSWORD or") as refused:
        rows_of(written, "select 1", tmp_path)
    from_environment = EnvironmentText(f"{written}?connect_timeout=2", "${oc.env:SCORES}")
    with pytest.raises(DataError, match=r"^the database postgresql\+psycopg://anna:\*\*\*@127.0.0.1:9") as unanswered:
        rows_of(from_environment, "select 1", tmp_path)
    for text in (str(refused.value), str(unanswered.value), caplog.text):
        assert "hunter2" not in text
    assert unanswered.value.__cause__ is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"query": "select 1"}, r"^data.query is set and data.database is not; set both, or data.path$"),
        ({"database": "sqlite://"}, r"^data.database is set and data.query is not; set both, or data.path$"),
        ({"query": "select 1", "database": "sqlite://", "path": "a.csv"}, r"^data.path and data.query are both set"),
        ({"query": "select 1", "database": "no address"}, r"^data.database is not the address of a database"),
        (
            {"query": "select 1", "database": "dbase://x"},
            r"^data.database is dbase://..., whose driver is not installed",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, str], message: str, tmp_path: Path) -> None:
    data = DataSettings(source=Source.table, **settings)
    with pytest.raises(ConfigurationError, match=message), opened_source(data, tmp_path):
        pass
