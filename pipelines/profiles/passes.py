"""One pass over the parts of a table: on threads of this process, or on Spark's executors."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import pyarrow as pa

from pipelines.engine.spark_settings import SparkSettings
from pipelines.errors import DataError
from pipelines.storage.parquet_parts import Part, is_parquet, read_tables, survey, tasks

MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")
Result = TypeVar("Result")
Look = Callable[["PartOfTable", pa.Table], Result]
"""A function of the rows of a part."""


@dataclass(frozen=True)
class PartOfTable:
    """A part, and the number of its first row in the whole table."""

    part: Part
    first: int


@dataclass(frozen=True)
class ScoredTable:
    """Parquet files as one table: its parts in order, and the schema of each file."""

    path: Path
    parts: tuple[PartOfTable, ...]
    schemas: tuple[tuple[str, pa.Schema], ...]
    rows: int
    fingerprint: str


class Pass(Protocol):
    """Reads a table once."""

    def __call__(
        self, table: ScoredTable, columns: Sequence[str], coded: Sequence[str], look: Look[Result]
    ) -> Iterator[Result]:
        """Read columns, those of text as codes, and yield the result of each part in no order."""


def open_table(path: Path) -> ScoredTable:
    """Return the table of a Parquet file or of a folder of them, without reading rows.

    Folders such as `channel=web` are a column; those of months, such as `period=2026-10`, are periods and no column.

    Raises:
        DataError: there is no Parquet file, or one cannot be read.
    """
    path = path.absolute()  # executors work in other folders
    if not path.exists() or not is_parquet(path):
        raise DataError(f"'{path}' has no Parquet file; name a Parquet file or a folder of them")
    files = survey(path)
    parts, first = [], 0
    months: set[str] = set()
    for part in files.parts:
        columns = tuple(one for one in part.partition if not MONTH.fullmatch(one[1] or ""))
        months |= {name for name, _ in part.partition} - {name for name, _ in columns}
        parts.append(PartOfTable(replace(part, partition=columns), first))
        first += part.rows
    schemas = tuple((file, _without(schema, months)) for file, schema in files.schemas)
    return ScoredTable(path, tuple(parts), schemas, first, files.fingerprint)


def _without(schema: pa.Schema, names: Collection[str]) -> pa.Schema:
    return pa.schema([field for field in schema if field.name not in names], schema.metadata)


def on_threads(threads: int) -> Pass:
    """Return the pass of this process, which reads a part on each thread."""
    return partial(_on_threads, threads)


@contextmanager
def on_spark(threads: int, memory: str, scratch: Path, settings: SparkSettings | None = None) -> Iterator[Pass]:
    """Yield the pass of Spark's executors, which must see the files under the same paths."""
    from pipelines.engine.spark_engine import session

    with session(threads, memory, scratch, settings) as spark:
        yield partial(_on_spark, spark)


def look_at_parts(
    columns: Sequence[str], coded: Sequence[str], look: Look[Result], some: Sequence[PartOfTable]
) -> list[Result]:
    """Return the results of consecutive parts of one file; columns that it lacks are left out."""
    held = [one.part for one in some]
    return [look(one, table) for one, table in zip(some, read_tables(held, columns, coded), strict=True)]


def _on_threads(
    threads: int, table: ScoredTable, columns: Sequence[str], coded: Sequence[str], look: Look[Result]
) -> Iterator[Result]:
    with ThreadPoolExecutor(threads) as pool:
        for results in pool.map(partial(look_at_parts, columns, coded, look), _work(table, threads)):
            yield from results
    pa.default_memory_pool().release_unused()  # it would keep what each of these threads once held


def _on_spark(
    spark: object, table: ScoredTable, columns: Sequence[str], coded: Sequence[str], look: Look[Result]
) -> Iterator[Result]:
    from pipelines.engine.spark_engine import map_on_spark

    work = _work(table, spark.sparkContext.defaultParallelism)  # type: ignore[attr-defined]
    for results in map_on_spark(spark, partial(look_at_parts, columns, coded, look), work):  # type: ignore[arg-type]
        yield from results


def _work(table: ScoredTable, workers: int) -> list[tuple[PartOfTable, ...]]:
    part_of_table = {one.part.name: one for one in table.parts}
    return [
        tuple(part_of_table[part.name] for part in some) for some in tasks([one.part for one in table.parts], workers)
    ]
