"""Every notebook runs from its first cell to its last, in empty folders, and its page shows the cells that it has."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.notebook_pages import cells_of

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
FINDINGS = {
    "comparing_experiments": r"promotion of the scorecard: promoted\nrefused: AUC ",
    "drift_investigation": r"(?s)to do: Check that column in the source.*causes: .*data fault.*\nopen ",
    "first_experiment": r"verdict: stable - open ",
    "one_decision": r"(?s)promotion: promoted\n(- .+\n){2,4}",
    "own_table": r"(?s)data\.bad is not set.*promotion: promoted",
    "reading_a_study": r"search AUC 0\.7\d+, test AUC 0\.[78]\d+ ",
    "real_and_simulated": r"\d+ of \d+ simulated figures sit among the real ones - see ",
    "segments_and_fairness": r"verdict: stable",
}
"""What each notebook prints when all went well."""

FIGURES = {"real_and_simulated": ["distributions.png", "features.png"]}
"""What a notebook draws itself, in a folder of its own name among the reports."""


@pytest.mark.integration  # whole commands, run again and again
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(notebook: Path, tmp_path: Path) -> None:
    # MLflow tells its children where its store is: that of whatever test ran here before.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    (tmp_path / "temporary").mkdir()
    own = {
        "THINFILE_WORKSPACE": str(tmp_path / "workspace"),
        "TMPDIR": str(tmp_path / "temporary"),
        "MPLBACKEND": "agg",
    }
    beside = sorted(notebook.parent.iterdir())
    done = subprocess.run(
        [sys.executable, notebook], capture_output=True, text=True, cwd=tmp_path, env=clean | own, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(FINDINGS[notebook.stem], done.stdout), done.stdout
    assert {path.name for path in tmp_path.iterdir()} <= {"workspace", "temporary"}
    assert sorted(notebook.parent.iterdir()) == beside
    drawn = sorted((tmp_path / "workspace" / "reports" / notebook.stem).glob("*"))
    assert [path.name for path in drawn] == FIGURES.get(notebook.stem, [])


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_short_and_in_cells(notebook: Path) -> None:
    assert len(notebook.read_text().splitlines()) < 110
    assert len(cells_of(notebook)) >= 6
    assert cells_of(notebook)[0].text.startswith("# ")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_page_has_the_cells_of_the_notebook_and_its_plots(notebook: Path) -> None:
    """After a change of a notebook run `docs/notebook_pages.py NAME`."""
    page = (ROOT / "docs" / "notebooks" / f"{notebook.stem}.md").read_text()
    for cell in cells_of(notebook):
        assert (cell.text if cell.is_markdown else f"```python\n{cell.text}\n```") in page
    plots = re.findall(r"\(\.\./images/notebooks/(.+?)\)", page)
    assert plots
    assert sorted(plots) == sorted(path.name for path in (ROOT / "docs/images/notebooks").glob(f"{notebook.stem}-*"))
    assert "/tmp" not in page
    index = (ROOT / "docs" / "index.md").read_text()
    assert f"](notebooks/{notebook.stem}.md)" in index
    assert f"\nnotebooks/{notebook.stem}\n" in index
