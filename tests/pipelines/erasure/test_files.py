"""Parquet files are written again without a person's rows, and otherwise as they were."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.applications.applications import load_applications
from pipelines.applications.settings import DataSettings, Source
from pipelines.erasure.datasets import fingerprint_folder
from pipelines.erasure.files import look_for, remove
from pipelines.erasure.person import Person
from pipelines.storage.workspace import Workspace
from tests.pipelines.erasure.filled_workspace import written


def test_a_folder_has_the_fingerprint_that_a_study_records(tmp_path: Path) -> None:
    mixed = {"id": ["a", "b", None], "x": [1.0, None, 3.0], "n": [1, 2, None], "when": [datetime(2026, 1, 1)] * 3}
    table = pa.table(mixed).append_column("level", pa.array(["u", "v", "u"]).dictionary_encode())
    written(table, tmp_path / "table" / "a" / "1.parquet", row_group_size=2)
    written(table.slice(1), tmp_path / "table" / "b" / "2.parquet")
    data = DataSettings(source=Source.table, path=str(tmp_path / "table"))
    applications = load_applications(data, Workspace.at(tmp_path / "w"), labelled=False)
    assert fingerprint_folder(tmp_path / "table") == applications.fingerprint


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([77, 78, 77, None, 79], pa.int64()),
        ([77, 78, 77, None, 79], pa.int16()),
        ([77.0, 78.0, 77.0, None, 77.5], pa.float64()),
        ([Decimal("77.00"), Decimal("78.00"), Decimal("77.00"), None, Decimal("77.50")], pa.decimal128(10, 2)),
        (["77", "78", "77", None, "077"], pa.string()),
        (["77", "78", "77", None, "7"], pa.large_string()),
        (["77", "78", "77", None, "777"], pa.dictionary(pa.int8(), pa.string())),
    ],
)
def test_an_id_is_known_in_whatever_type_it_was_written(values: list[Any], kind: pa.DataType, tmp_path: Path) -> None:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    column = pa.array(values, plain)
    column = column.dictionary_encode().cast(kind) if plain != kind else column
    table = pa.table({"customer_id": column, "row": range(5), "list": [["a"], [], None, ["b"], ["c"]]})
    path = written(table.replace_schema_metadata({"made": "by us"}), tmp_path / "t.parquet", row_group_size=2)
    schema = pq.read_schema(path)
    assert remove(Person("77"), path) == 2
    left = pq.read_table(path)
    assert left["row"].to_pylist() == [1, 3, 4]
    assert left.schema.equals(schema, check_metadata=True)
    assert left["list"].to_pylist() == [[], ["b"], ["c"]]
    assert [pq.read_metadata(path).row_group(one).num_rows for one in range(3)] == [1, 1, 1]
    if plain != kind:
        levels = {one for chunk in left["customer_id"].chunks for one in chunk.dictionary.to_pylist()}
        assert "77" not in levels
    assert remove(Person("77"), path) == 0


def test_a_file_is_written_as_it_was(tmp_path: Path) -> None:
    levels = pa.array(["a", "b", "a", "a"]).dictionary_encode()
    table = pa.table(
        [pa.array(["77", "78", "77", "79"]), levels, pa.array([1.0, 2.0, 3.0, 4.0])],
        schema=pa.schema(
            [pa.field("customer_id", pa.string(), nullable=False), ("band", levels.type), ("pd", "float64")]
        ),
    )
    how: dict[str, Any] = {
        "compression": {"customer_id": "zstd", "band": "none", "pd": "snappy"},
        "store_schema": False,
    }
    path = written(table, tmp_path / "t.parquet", use_dictionary=["band"], write_statistics=["pd"], **how)
    before = described(path)
    assert remove(Person("77"), path) == 2
    assert described(path) == before
    assert pq.read_table(path).to_pylist() == [
        {"customer_id": "78", "band": "b", "pd": 2.0},
        {"customer_id": "79", "band": "a", "pd": 4.0},
    ]


def described(path: Path) -> list[Any]:
    metadata = pq.read_metadata(path)
    columns = [metadata.row_group(0).column(place) for place in range(metadata.num_columns)]
    told = [(one.compression, one.is_stats_set, one.encodings) for one in columns]
    return [pq.read_schema(path), metadata.metadata, *told]


def test_a_file_whose_rows_are_all_erased_keeps_its_columns(tmp_path: Path) -> None:
    table = pa.table({"customer_id": ["a", "a"], "x": [1.0, 2.0]})
    path = written(table, tmp_path / "t.parquet")
    assert remove(Person("a"), path) == 2
    assert pq.read_table(path).schema == table.schema
    assert look_for(Person("a"), path).rows == 0  # type: ignore[union-attr]


def test_where_a_row_names_its_customer_that_decides() -> None:
    table = pa.table({"customer_id": ["1", "2", None, None], "application_id": [10, 10, 10, 11]})
    person = Person("1", applications=frozenset({"10"}))
    assert person.rows_of(table).to_pylist() == [True, False, True, False]
