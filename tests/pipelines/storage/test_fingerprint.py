"""A fingerprint follows the content: not the place, not the format, and any change is seen."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.storage.fingerprint import fingerprint_files, fingerprint_record, fingerprint_table

numbers = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8)
records = st.dictionaries(st.text(), st.integers() | st.text() | st.none(), max_size=5)


def a_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "amount": [1.5, None, 3.25],
            "children": [0, 1, 2],
            "channel": ["app", None, "wëb"],
            "renewal": [True, False, True],
        }
    )


def test_csv_and_parquet_of_the_same_content_are_alike(tmp_path: Path) -> None:
    a_table().to_csv(tmp_path / "a.csv", index=False)
    a_table().to_parquet(tmp_path / "a.parquet", compression="gzip", row_group_size=1)
    read = [pd.read_csv(tmp_path / "a.csv"), pd.read_parquet(tmp_path / "a.parquet"), a_table()]
    assert len({fingerprint_table(table) for table in read}) == 1


@pytest.mark.parametrize(
    "changed",
    [
        a_table().assign(amount=[1.5, None, 3.2500000000000004]),
        a_table().assign(amount=[1.5, 0.0, 3.25]),
        a_table().assign(channel=["app", "", "wëb"]),
        a_table().assign(channel=["app", None, "web"]),
        a_table().assign(renewal=[True, True, True]),
        a_table().astype({"children": float}),
        a_table().rename(columns={"children": "child"}),
        a_table()[["children", "amount", "channel", "renewal"]],
        a_table().iloc[[0, 2, 1]],
        a_table().iloc[:2],
        a_table().assign(new=1),
    ],
    ids=[
        *("last digit", "missing to 0", "missing to empty", "one letter", "a flag", "a type", "a name"),
        *("order of columns", "order of rows", "a row less", "a column more"),
    ],
)
def test_any_change_is_seen(changed: pd.DataFrame) -> None:
    assert fingerprint_table(changed) != fingerprint_table(a_table())


def test_where_a_row_lies_in_memory_does_not_matter() -> None:
    assert fingerprint_table(a_table().set_index(pd.Index([7, 8, 9]))) == fingerprint_table(a_table())


@given(numbers, st.data())
def test_every_cell_counts(values: list[float], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(values) - 1))
    other = data.draw(st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: x != values[place]))
    changed = [*values[:place], other, *values[place + 1 :]]
    first, second = (fingerprint_table(pd.DataFrame({"x": np.array(found)})) for found in (values, changed))
    assert first != second


@given(records, records)
def test_records_are_alike_when_they_are_equal_in_any_order(
    record: dict[str, object], other: dict[str, object]
) -> None:
    assert fingerprint_record(dict(reversed(record.items()))) == fingerprint_record(record)
    assert (fingerprint_record(record) == fingerprint_record(other)) == (record == other)


def test_files_are_known_by_their_names_and_bytes(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in "abc")
    for path, text in ((first, "one"), (second, "two"), (third, "one")):
        path.write_text(text)
    known = fingerprint_files({"x": first, "y": second})
    assert fingerprint_files({"y": second, "x": third}) == known
    assert fingerprint_files({"x": second, "y": first}) != known
    assert fingerprint_files({"z": first, "y": second}) != known
    second.write_text("twO")
    assert fingerprint_files({"x": first, "y": second}) != known


def test_a_column_of_lists_has_a_fingerprint_too(tmp_path: Path) -> None:
    pd.DataFrame({"basket": [[1, 2], [3]]}).to_parquet(tmp_path / "a.parquet")
    assert fingerprint_table(pd.read_parquet(tmp_path / "a.parquet"))
