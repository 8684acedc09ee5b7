"""Every notebook runs from its first cell to its last, in an empty workspace."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.py"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    environment = os.environ | {"THINFILE_WORKSPACE": str(tmp_path / "workspace")}
    done = subprocess.run(
        [sys.executable, notebook], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "verdict: stable" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["workspace"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_short_and_in_cells(notebook: Path) -> None:
    lines = notebook.read_text().splitlines()
    assert len(lines) < 80
    assert sum(line.startswith("# %%") for line in lines) >= 4
