"""Ids are logged as they were written, in whatever type."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.pipelines.batch.conftest import Bench, applications, score_it
from tests.pipelines.candidates.test_conformance import CATEGORICAL, NUMERIC


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (pa.array(["7", "007", "7.0", " 7", "+7"]), ["7", "007", "7.0", " 7", "+7"]),
        (pa.array(["7", "007", "7.0", " 7", "+7"]).dictionary_encode(), ["7", "007", "7.0", " 7", "+7"]),
        (pa.array([7, -7, 0, 2**62, 2**62 + 1]), ["7", "-7", "0", str(2**62), str(2**62 + 1)]),
        (pa.array([7.0, 8.0, 9.0, 10.0, -1.0]), ["7", "8", "9", "10", "-1"]),
        (pa.array([7, 8, 9, 2**62, 1]).cast(pa.decimal128(38, 2)), ["7", "8", "9", str(2**62), "1"]),
    ],
)
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_ids_are_logged_as_they_were_written(
    ids: pa.Array, expected: list[str], suffix: str, bench: Bench, tmp_path: Path
) -> None:
    table = pa.Table.from_pandas(applications(5), preserve_index=False)
    for name in ("application_id", "customer_id"):
        table = table.set_column(table.column_names.index(name), name, ids)
    path = tmp_path / f"table{suffix}"
    if suffix == ".csv":
        texts = table.select([*NUMERIC, *CATEGORICAL]).to_pandas().assign(application_id=expected, customer_id=expected)
        texts.to_csv(path, index=False)
    else:
        pq.write_table(table, path)
    score_it(bench, input=str(path))
    logged = bench.log.decisions(bench.key())
    assert sorted(logged["application_id"]) == sorted(expected)
    assert logged["customer_id"].tolist() == logged["application_id"].tolist()
