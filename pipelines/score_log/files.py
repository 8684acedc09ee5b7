"""The Parquet files of the score log: one row or all rows read, a file of rows written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.errors import ThinfileError
from pipelines.score_log.columns import COLUMNS, Column, with_later_columns
from pipelines.storage.atomic_files import whole_file

SAMPLED = "thinfile.sampled"
"""The metadata key under which a file of features keeps the share of decisions that it holds."""


def read_rows(files: Sequence[Path], empty: pa.Table) -> pd.DataFrame:
    """Return the rows of some files ordered by decision_id; `empty` gives the columns where there are no files."""
    if not files:
        return pd.DataFrame(empty.to_pandas())
    tables = [pq.read_table(file, partitioning=None, page_checksum_verification=True) for file in files]
    plain = [table.replace_schema_metadata() for table in tables]
    rows: pd.DataFrame = pa.concat_tables(plain, promote_options="permissive").to_pandas()
    return rows.sort_values("decision_id", ignore_index=True)


def read_decisions(files: Sequence[Path]) -> pa.Table:
    """Return the decisions of some files, written by any version, with the columns of today."""
    tables = []
    for file in files:
        with readable(file):
            table = pq.read_table(file, partitioning=None, page_checksum_verification=True)
            tables.append(with_later_columns(table.replace_schema_metadata()))
    return pa.concat_tables(tables, promote_options="permissive")


def read_row(file: Path, decision_id: str, complete: Callable[[pa.Table], pa.Table]) -> pa.Table | None:
    """Return the row of a decision, None where a file lacks it; only ids are read of row groups without it.

    `complete` checks the columns of the file, given its rows or none of them, and adds what is missing.
    """
    with readable(file), pq.ParquetFile(file, page_checksum_verification=True) as opened:
        complete(opened.schema_arrow.empty_table())
        for group in range(opened.num_row_groups):
            ids = opened.read_row_group(group, ["decision_id"])["decision_id"]
            index = pc.index(ids, decision_id).as_py()
            if index >= 0:
                return complete(opened.read_row_group(group).slice(index, 1).replace_schema_metadata())
    return None


def sampled_share(features: Path) -> float:
    """Return the share of the decisions whose features a file keeps."""
    share = (pq.read_metadata(features).metadata or {}).get(SAMPLED.encode())
    return float(share) if share else 1.0


def write_decisions(path: Path, decisions: pa.Table) -> None:
    """Write rows of the log. Columns of few values are written as codes, the rest as it is: ids do not compress."""
    with whole_file(path) as temporary:
        pq.write_table(
            decisions,
            temporary,
            compression="none",
            use_dictionary=[_parquet_path(column) for column in COLUMNS if column.repeats],
            write_statistics=["points"],
            write_page_checksum=True,
            write_batch_size=len(decisions) or 1,
            store_schema=False,  # codes are read as text
        )


def _parquet_path(column: Column) -> str:
    return f"{column.name}.list.element" if pa.types.is_list(column.type) else column.name


def write_beside(path: Path, table: pa.Table, metadata: Mapping[str, str]) -> None:
    """Write rows that are kept beside the decisions: floating numbers as they are, the rest as codes."""
    coded = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
    options = {"compression": "none", "use_dictionary": coded, "write_statistics": False, "store_schema": False}
    with (
        whole_file(path) as temporary,
        pq.ParquetWriter(temporary, table.schema, write_page_checksum=True, **options) as writer,
    ):
        writer.write_table(table)
        writer.add_key_value_metadata(metadata)


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Turn the error of a file that is missing, cut off or damaged into one message."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise ThinfileError(f"'{file}' of the score log cannot be read ({error}); restore it from a copy") from error
