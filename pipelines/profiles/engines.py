"""Engines that count a table in bins: threads of this process, DuckDB or Spark; the counts are the same."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.engine.spark_settings import SparkSettings
from pipelines.profiles.counting import Counted, count_table
from pipelines.profiles.freezing import Frozen, freeze_bins
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.passes import Pass, ScoredTable, on_spark, on_threads
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.settings import ProfileEngine


@dataclass(frozen=True)
class Engine:
    """A started engine."""

    kind: ProfileEngine
    one_pass: Pass
    threads: int
    memory: str
    scratch: Path

    def freeze(self, table: ScoredTable, roles: TableRoles) -> Frozen:
        """Return the bins of a table (see `freeze_bins`)."""
        return freeze_bins(table, roles, self.one_pass)

    def count(
        self, table: ScoredTable, bins: Sequence[FrozenBins], roles: TableRoles, *, most_sampled: int = 0
    ) -> Counted:
        """Return the counts of a table in bins (see `count_table`), and a sample of its rows."""
        if self.kind is not ProfileEngine.duckdb:
            return count_table(table, bins, roles, self.one_pass, most_sampled=most_sampled)
        from pipelines.profiles.sql import count_in_duckdb

        return count_in_duckdb(
            table,
            bins,
            roles,
            threads=self.threads,
            memory=self.memory,
            scratch=self.scratch,
            most_sampled=most_sampled,
        )


@contextmanager
def engine_of(
    kind: ProfileEngine, *, threads: int, memory: str, scratch: Path, spark: SparkSettings | None = None
) -> Iterator[Engine]:
    """Yield an engine.

    `memory` limits DuckDB or Spark's Java, such as "4GB"; they spill into `scratch`.

    Raises:
        ConfigurationError: there is no Spark here.
        ThinfileError: the Spark that is set cannot be used.
    """
    if kind is ProfileEngine.spark:
        with on_spark(threads, memory, scratch, spark) as one_pass:
            yield Engine(kind, one_pass, threads, memory, scratch)
    else:
        yield Engine(kind, on_threads(threads), threads, memory, scratch)
