"""A connection that spills where it is told, thinks in UTC, and fetches nothing."""

from pathlib import Path

import pytest

from pipelines.engine.duckdb_engine import connect, sql_name, sql_text


def test_a_connection_is_set_up_once_for_all(tmp_path: Path) -> None:
    with connect(3, "512MB", tmp_path) as connection:
        wanted = ("threads", "TimeZone", "preserve_insertion_order", "autoinstall_known_extensions", "temp_directory")
        query = ", ".join(f"current_setting('{name}')" for name in wanted)
        told = connection.execute(f"select {query}").fetchone()
        assert told == (3, "UTC", False, False, str(tmp_path / "spilled"))


def test_what_memory_does_not_hold_is_spilt_and_cleared(tmp_path: Path) -> None:
    with connect(1, "40MB", tmp_path) as connection:
        connection.execute("create temp table t as select hash(range) as a, hash(range + 1) as b from range(5_000_000)")
        assert list((tmp_path / "spilled").iterdir())
    assert not (tmp_path / "spilled").exists() or not list((tmp_path / "spilled").iterdir())


@pytest.mark.parametrize("text", ["plain", 'a "b" c', "l'ordre", "a;b -- c", "\\n", "", "é 中"])
def test_names_and_texts_survive_sql(text: str, tmp_path: Path) -> None:
    with connect(1, "100MB", tmp_path) as connection:
        found = connection.execute(f"select {sql_text(text)} as {sql_name(text or 'x')}")
        assert [column[0] for column in found.description or ()] == [text or "x"]
        assert found.fetchone() == (text,)
