"""The report on raw tables against Evidently's own preset, and from profiles of a hundred million rows."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.benchmarks.wide_tables import MILLION, write_long, write_scored
from tests.evidence.commands import COMMAND, GIGABYTE, Cost, cost_of
from tests.evidence.conftest import Evidence

ANCHOR = Path(__file__).resolve().parents[3] / "shared" / "anchors" / "glue_drift.py"
"""The opponent, unmodified; THINFILE_GLUE_DRIFT names it elsewhere."""

NUMBERS, LEVELS = 41, 8
"""With the points, 50 columns."""

LEAST_FASTER = 12
MILLIONS = 100


def test_the_report_on_raw_tables_against_the_preset(evidence: Evidence, tmp_path: Path) -> None:
    anchor = _needs(evidence)
    reference = write_scored(tmp_path / "reference.parquet", MILLION, 1, NUMBERS, LEVELS)
    window = write_scored(tmp_path / "window.parquet", MILLION, 10**7, NUMBERS, LEVELS, shift=0.1)
    theirs = _told(anchor, reference, window)
    ours = _watch(tmp_path / "raw", window, reference)
    again = _told(anchor, reference, window)
    slower = min(theirs["whole"], again["whole"])
    faster, peak = slower / ours.seconds, ours.peak
    kept = _from_profiles(tmp_path)
    holds = faster >= LEAST_FASTER and peak < GIGABYTE and kept.seconds < 10 and kept.peak < 0.6 * GIGABYTE
    evidence.record(
        "55-report-speed",
        claim="the report on 50 simulated columns of 1,000,000 + 1,000,000 rows of raw Parquet against Evidently's "
        "DataDriftPreset with PSI, whole processes in one run, the better of two for the opponent; and the report from "
        f"profiles of {MILLIONS} million + {MILLIONS} million rows",
        value=f"{ours.seconds:.1f} s against {slower:.0f} s: {faster:.1f} times as fast; {peak / GIGABYTE:.2f} GB "
        f"against {theirs['peak_mb'] / 1024:.1f} GB; from profiles {kept.seconds:.1f} s, {kept.peak / GIGABYTE:.2f} GB",
        bound="at least 12 times, under 1 GB; under 10 s, under 0.6 GB",
        holds=holds,
    )
    assert holds


def _needs(evidence: Evidence) -> Path:
    if not evidence.full:
        pytest.skip("a ratio of speeds is for a quiet machine; make evidence measures it")
    anchor = Path(os.environ.get("THINFILE_GLUE_DRIFT", ANCHOR))
    if not anchor.exists():
        pytest.skip("the opponent glue_drift.py is not there; name it in THINFILE_GLUE_DRIFT")
    return anchor


def _from_profiles(folder: Path) -> Cost:
    """Return what the report takes from profiles of so many rows; to make them is no part of it."""
    table = write_long(folder / "long", MILLIONS, NUMBERS + LEVELS)
    reference, window = folder / "reference.json", folder / "window.json"
    for places in ((reference,), (reference, window)):
        cost_of(sys.executable, "-m", "tests.benchmarks.profile_tables", str(table), *map(str, places))
    return _watch(folder / "kept", window, reference)


def _watch(workspace: Path, window: Path, reference: Path) -> Cost:
    words = ("watch", "period=2026-10", f"input={window}", f"reference_input={reference}", f"workspace={workspace}")
    return cost_of(*COMMAND, *words, "today=2026-12-01")


def _told(anchor: Path, reference: Path, window: Path) -> dict[str, float]:
    """Return what the opponent tells, and the seconds of its whole process as `whole`."""
    start = time.perf_counter()
    words = [sys.executable, str(anchor), str(reference), str(window), "--method", "psi"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, float] = json.loads(done.stdout)
    return told | {"whole": time.perf_counter() - start}
