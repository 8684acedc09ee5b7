"""Repeated keys are found the same way whether they are dense or sparse, whole or text."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.engine.duckdb_engine import connect
from pipelines.marketplace.keys import find_repeated
from pipelines.marketplace.tables import Column, Kind, TableContract

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LONGEST, SHORTEST = 2**63 - 1, -(2**63)
WHOLE = st.none() | st.integers(-3, 20) | st.sampled_from([10**12, LONGEST, SHORTEST])


def a_contract(*key: str) -> TableContract:
    return TableContract("things", tuple(Column(name, Kind.identifier) for name in key), key, ())


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[DuckDBPyConnection]":
    with connect(2, "1GB", tmp_path_factory.mktemp("scratch")) as opened:
        yield opened


def repeated(connection: "DuckDBPyConnection", columns: dict[str, pa.Array]) -> list[tuple[object, ...]]:
    connection.register("given", pa.table(columns))
    count = find_repeated(connection, a_contract(*columns), "given")
    found = connection.execute("from repeated_things").fetchall()
    connection.execute("drop table repeated_things")
    assert len(found) == count
    return sorted(found, key=str)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(WHOLE, WHOLE), max_size=30))
@example([(0, LONGEST), (1, LONGEST)])
@example([(SHORTEST, LONGEST), (SHORTEST + 1, LONGEST), (SHORTEST, LONGEST)])
def test_keys_that_several_rows_carry(
    connection: "DuckDBPyConnection", rows: list[tuple[int | None, int | None]]
) -> None:
    for width in (1, 2):
        keys = [row[:width] for row in rows]
        counts = Counter(key for key in keys if None not in key)
        expected = sorted(((key) for key, count in counts.items() if count > 1), key=str)
        columns = {"abc"[place]: pa.array([key[place] for key in keys], pa.int64()) for place in range(width)}
        assert repeated(connection, columns) == expected
        texts = {name: values.cast(pa.string()) for name, values in columns.items()}
        assert repeated(connection, texts) == sorted((tuple(map(str, key)) for key in expected), key=str)


def test_a_whole_range_of_keys_is_unique_and_one_more_is_not(connection: "DuckDBPyConnection") -> None:
    numbers = list(range(-500, 500))
    assert repeated(connection, {"a": pa.array(numbers, pa.int64())}) == []
    assert repeated(connection, {"a": pa.array([*numbers, 7], pa.int64())}) == [(7,)]
    pairs = [(number, part) for number in numbers for part in (1, 2)]
    columns = [pa.array([pair[place] for pair in pairs], pa.int64()) for place in (0, 1)]
    assert repeated(connection, dict(zip("ab", columns, strict=True))) == []
