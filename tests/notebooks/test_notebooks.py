"""Every notebook runs from its first cell to its last, in an empty workspace."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration  # whole commands, run again and again

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.py"))
CLOSING_WORDS = {
    "first_experiment": r"verdict: stable - open ",
    "real_and_simulated": r"\d+ of \d+ simulated figures sit among the real ones - see ",
}
"""What the last line of each notebook says when all went well."""

FIGURES = {"real_and_simulated": ["distributions.png", "features.png"]}
"""What a notebook draws itself, in a folder of its own name among the reports."""


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    # MLflow tells its children where its store is: that of whatever test ran here before.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment = clean | {"THINFILE_WORKSPACE": str(tmp_path / "workspace")}
    beside = sorted(notebook.parent.iterdir())
    done = subprocess.run(
        [sys.executable, notebook], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.match(CLOSING_WORDS[notebook.stem], done.stdout.splitlines()[-1]), done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["workspace"]
    assert sorted(notebook.parent.iterdir()) == beside
    drawn = sorted((tmp_path / "workspace" / "reports" / notebook.stem).glob("*"))
    assert [path.name for path in drawn] == FIGURES.get(notebook.stem, [])


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_short_and_in_cells(notebook: Path) -> None:
    lines = notebook.read_text().splitlines()
    assert len(lines) < 80
    assert sum(line.startswith("# %%") for line in lines) >= 4
