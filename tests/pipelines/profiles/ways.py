"""The ways in which a table is counted, and what it takes for them to agree."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from pipelines.profiles.counting import count_table
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.dimensions import Dimension
from pipelines.profiles.freezing import freeze_bins
from pipelines.profiles.passes import Pass, on_threads, open_table
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.sql import count_in_duckdb
from pipelines.profiles.window_profile import WindowProfile
from tests.pipelines.profiles.random_tables import ROLES, oracle, random_table, write

Table = tuple[Path, pa.Table]


def random_pair(folder: Path, seed: int, reference_rows: int, rows: int) -> tuple[Table, Table]:
    """Write a random reference and a random window; return where they lie, and what they hold."""
    generator = np.random.default_rng(seed)
    found = []
    for name, size in (("reference", reference_rows), ("window", rows)):
        written = write(random_table(generator, size), folder / name, generator)
        found.append((folder / name, written))
    return found[0], found[1]


def assert_ways_agree(reference: Table, window: Table, scratch: Path, *passes: Pass, roles: TableRoles = ROLES) -> int:
    """Count both tables in the bins of the reference in all ways; return how many counts agree."""
    frozen = [freeze_bins(open_table(reference[0]), roles, one) for one in (on_threads(2), *passes)]
    bins = frozen[0].bins
    assert all((one.bins, one.own_bins) == (bins, frozen[0].own_bins) for one in frozen)
    agreed = 0
    for path, rows in (reference, window):
        table = open_table(path)
        told = oracle_profile(rows, bins, roles)
        found = [count_table(table, bins, roles, one).profile for one in (on_threads(2), *passes)]
        found.append(count_in_duckdb(table, bins, roles, threads=2, memory="1GB", scratch=scratch).profile)
        for profile in found:
            assert_same(profile, told)
        agreed += sum(len(counts) for counts in told.overall.columns.values()) * (1 + len(told.segments))
    return agreed


def oracle_profile(rows: pa.Table, bins: tuple, roles: TableRoles) -> WindowProfile:
    """Return the oracle's counts, overall and by segment."""
    found = {}
    for one in roles.segments:
        values = [_segment_of(one, value) for value in rows[one.name].to_pylist()]
        for name in sorted({value for value in values if value is not None}):
            theirs = rows.filter(pa.array([value == name for value in values]))
            found[f"{one.name}={name}"] = oracle(theirs, bins, roles)
    return WindowProfile("", oracle(rows, bins, roles), found)


def _segment_of(dimension: Dimension, value: object) -> str | None:
    if dimension.edges is None or value is None:
        return None if value is None else str(value)
    number = float(value)  # type: ignore[arg-type]
    return None if np.isnan(number) else dimension.bands[sum(number >= edge for edge in dimension.edges)]


def assert_same(found: WindowProfile, told: WindowProfile) -> None:
    """Compare two profiles count by count."""
    assert sorted(found.segments) == sorted(told.segments)
    _assert_same(found.overall, told.overall)
    for name, tally in told.segments.items():
        _assert_same(found.segments[name], tally)


def _assert_same(found: Tally, told: Tally) -> None:
    assert {name: counts.tolist() for name, counts in found.columns.items()} == {
        name: counts.tolist() for name, counts in told.columns.items()
    }
    assert (found.rows, found.bands, found.decisions) == (told.rows, told.bands, told.decisions)
    ours, theirs = found.scores, told.scores
    assert (ours.points.tolist(), ours.rows.tolist()) == (theirs.points.tolist(), theirs.rows.tolist())
    np.testing.assert_allclose(ours.pd, theirs.pd, rtol=1e-9)
