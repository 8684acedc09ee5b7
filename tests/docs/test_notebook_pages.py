"""A notebook becomes a page with what its cells print, show and draw."""

from pathlib import Path

import pytest

from docs.notebook_pages import cells_of, write_page

NOTEBOOK = """# %% [markdown]
# # A question
#
# Words.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

folder = Path(tempfile.mkdtemp())
print("kept in", folder / "workspace")
figure, axes = plt.subplots()
axes.plot([1, 2])
pd.DataFrame({"a": [1]})

# %%
twice = 2
axes.set(title="drawn above")
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "question.py"
    path.write_text(NOTEBOOK)
    return path


def test_cells_are_markdown_or_code(notebook: Path) -> None:
    first, second, third = cells_of(notebook)
    assert (first.is_markdown, first.text) == (True, "# A question\n\nWords.")
    assert not second.is_markdown
    assert third.text == 'twice = 2\naxes.set(title="drawn above")'


def test_a_page_has_prints_tables_and_plots_and_no_path_of_this_machine(notebook: Path, tmp_path: Path) -> None:
    write_page(notebook, tmp_path / "docs")
    page = (tmp_path / "docs" / "notebooks" / "question.md").read_text()
    assert page.startswith("# A question\n\nWords.\n\n```python\nimport tempfile")
    assert "```text\nkept in workspace\n```" in page
    assert "<td>1</td>" in page
    assert page.count("](../images/notebooks/question-1.png)") == 1
    assert (tmp_path / "docs" / "images" / "notebooks" / "question-1.png").read_bytes()[:4] == b"\x89PNG"
    (html,) = [part for part in page.split("\n\n") if part.startswith("<div")]
    assert html.endswith("</div>")  # one block of HTML: no blank line inside


def test_a_notebook_that_fails_ends_with_its_error(notebook: Path, tmp_path: Path) -> None:
    notebook.write_text("# %%\nraise ValueError('no data')\n")
    with pytest.raises(SystemExit, match=r"(?s)question\.py failed:.*ValueError: no data"):
        write_page(notebook, tmp_path / "docs")
