"""A fresh clone installs and tests itself with nothing but Python and make."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.evidence.conftest import Evidence

ROOT = Path(__file__).resolve().parents[2]


def test_make_test_in_a_fresh_clone(evidence: Evidence, tmp_path: Path) -> None:
    if not evidence.full:
        pytest.skip("make test does not run itself; make evidence runs it in a fresh clone")
    clone = tmp_path / "repository" / "main"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    (clone.parent / "shared").symlink_to(ROOT.parent / "shared")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MAKE"))}
    installed = subprocess.run(
        ["make", "lint"], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    assert installed.returncode == 0, installed.stdout + installed.stderr
    start = time.perf_counter()
    tested = subprocess.run(["make", "test"], cwd=clone, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True)
    holds = tested.returncode == 0 and seconds < 360 and not changed.stdout
    evidence.record(
        "02-make-test",
        claim="a fresh clone with only Python and make: make test after installation",
        value=f"{seconds:.0f} s, {tested.stdout.strip().splitlines()[-1].strip('= ')}",
        bound="under 360 s, all pass, git status clean",
        holds=holds,
    )
    assert holds, tested.stdout[-3000:] + changed.stdout
