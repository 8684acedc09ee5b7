"""Parquet input as parts: the folders of partitions are columns."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.storage.parquet_parts import read_tables, survey


def test_the_folders_of_partitions_are_columns_of_each_part(tmp_path: Path) -> None:
    for channel in ("app", "web"):
        (tmp_path / f"channel={channel}").mkdir()
        pq.write_table(pa.table({"x": [1, 2]}), tmp_path / f"channel={channel}" / "p.parquet")
    found = survey(tmp_path)
    assert [schema.names for _, schema in found.schemas] == [["x", "channel"]] * 2
    rows = [table.to_pylist() for part in found.parts for table in read_tables([part], ["channel", "x"], [])]
    assert rows == [[{"x": x, "channel": channel} for x in (1, 2)] for channel in ("app", "web")]
