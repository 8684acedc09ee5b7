"""A profile of a hundred million rows takes little longer than to decode them, and no more memory than a few parts."""

import sys
from pathlib import Path

import pytest

from tests.benchmarks.wide_tables import write_long
from tests.evidence.commands import GIGABYTE, Cost, cost_of
from tests.evidence.conftest import Evidence

MILLIONS = 100
COLUMNS = 40


def test_a_profile_of_a_hundred_million_rows(evidence: Evidence, tmp_path: Path) -> None:
    if not evidence.full:
        pytest.skip("a ratio of speeds is for a quiet machine; make evidence measures it")
    folder = write_long(tmp_path / "scored", MILLIONS, numbers=COLUMNS - 1)
    reference, window = tmp_path / "reference.json", tmp_path / "window.json"
    _module("decode_tables", folder)  # what lies on the disk comes into the system's cache
    decoded = _module("decode_tables", folder)
    frozen = _module("profile_tables", folder, reference)
    counted = _module("profile_tables", folder, reference, window)
    ratio, peak = counted.seconds / decoded.seconds, max(frozen.peak, counted.peak)
    holds = ratio <= 2 and peak < GIGABYTE
    evidence.record(
        "56-profile-hundred-million",
        claim=f"a simulated table of {MILLIONS} million rows x {COLUMNS} single-precision columns in Parquet (100 "
        "names of one file, in the system's cache), 2 threads, whole processes: its profile in bins that were frozen "
        "before, against decoding every column with pyarrow; memory of all processes at once",
        value=f"{counted.seconds:.1f} s against {decoded.seconds:.1f} s: {ratio:.2f} times; {peak / GIGABYTE:.2f} GB; "
        f"to freeze bins of such a table and count it in them, two passes, {frozen.seconds:.1f} s",
        bound="within 2 times, under 1 GB",
        holds=holds,
    )
    assert holds


def _module(name: str, *places: Path) -> Cost:
    return cost_of(sys.executable, "-m", f"tests.benchmarks.{name}", *map(str, places))
