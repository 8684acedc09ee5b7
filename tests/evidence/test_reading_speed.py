"""A large CSV file is read about as fast as DuckDB reads it by itself, in little memory."""

import statistics
import sys
from pathlib import Path

from pipelines.engine.duckdb_engine import in_memory, sql_text
from tests.evidence.commands import GIGABYTE, Cost, cost_of
from tests.evidence.conftest import Evidence

LEAST = 0.7
RUNS = 7


def test_a_large_text_file_is_read_as_fast_as_duckdb_reads_it(evidence: Evidence, tmp_path: Path) -> None:
    """Whole processes in turn; the ratio is that of their medians and only judged at full size, on a quiet machine."""
    rows = evidence.size(full=11_000_000, reduced=300_000)
    path = tmp_path / "large.csv"
    with in_memory() as connection:
        columns = (
            "i as id, random() as a, random() as b, 'c' || (i % 50) as city, (random() * 1e6)::int as n, random() as c"
        )
        connection.execute(f"copy (select {columns} from range({rows}) t(i)) to {sql_text(str(path))} (header)")
    pairs = [(_read("duckdb", path), _read("ours", path)) for _ in range(evidence.size(full=RUNS, reduced=1))]
    theirs, ours = (statistics.median(one.seconds for one in some) for some in zip(*pairs, strict=True))
    ratio, peak = theirs / ours, max(one.peak for _, one in pairs)
    holds = ratio >= LEAST and peak < GIGABYTE
    evidence.record(
        "60-reading-speed",
        claim=f"a CSV file of {path.stat().st_size / 1e9:.2f} GB ({rows:,} rows x 6 columns), whole processes in turn, "
        f"medians of {RUNS}: the speed of the one reader in batches against DuckDB's own reader; memory of the process",
        value=f"{ours:.2f} s against {theirs:.2f} s: {ratio:.2f} of its speed; {peak / GIGABYTE:.2f} GB",
        bound=f"at least {LEAST} of its speed, under 1 GB",
        holds=holds,
    )
    assert holds if evidence.full else peak < GIGABYTE


def _read(way: str, path: Path) -> Cost:
    return cost_of(sys.executable, "-m", "tests.benchmarks.read_tables", way, str(path))
