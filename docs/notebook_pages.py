"""Runs the notebooks and writes them with their outputs and plots to docs/notebooks.

Run `PYTHONPATH=. .venv/bin/python docs/notebook_pages.py [NAME ...]`; all of them take about five minutes.
"""

import ast
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NOTEBOOKS = HERE.parent / "notebooks"
MARK, MARKDOWN = "# %%", "# %% [markdown]"


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook in percent format: Markdown, or code."""

    is_markdown: bool
    text: str


def main() -> None:
    """Write the pages of the notebooks that are named, or of all, each run in a process of its own."""
    for name in sys.argv[1:] or sorted(path.stem for path in NOTEBOOKS.glob("*.py")):
        print(name, flush=True)
        write_page(NOTEBOOKS / f"{name}.py", HERE)


def write_page(notebook: Path, docs: Path) -> None:
    """Run a notebook in a process and a folder of its own; write its page and its pictures below `docs`."""
    with tempfile.TemporaryDirectory() as folder:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        surroundings = {
            "TMPDIR": folder,
            "THINFILE_WORKSPACE": f"{folder}/workspace",
            "MPLBACKEND": "agg",
            "MATPLOTLIBRC": str(NOTEBOOKS / "matplotlibrc"),
        }
        program = [sys.executable, __file__, "--run", str(notebook), str(docs)]
        environment = clean | surroundings
        done = subprocess.run(program, env=environment, cwd=folder, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{notebook.name} failed:\n{done.stderr}")


def cells_of(notebook: Path) -> list[Cell]:
    """Return the cells of a notebook."""
    parts = re.split(rf"^({re.escape(MARK)}.*)\n", notebook.read_text(), flags=re.MULTILINE)[1:]
    cells = zip(parts[::2], parts[1::2], strict=True)
    return [
        Cell(True, re.sub(r"^# ?", "", text, flags=re.MULTILINE).strip())
        if mark == MARKDOWN
        else Cell(False, text.strip())
        for mark, text in cells
    ]


def run(notebook: Path, docs: Path) -> None:
    """Run a notebook in this process and write its page and its pictures below `docs`."""
    name = notebook.stem
    pictures = docs / "images" / "notebooks"
    pictures.mkdir(parents=True, exist_ok=True)
    for old in pictures.glob(f"{name}-*.png"):
        old.unlink()
    variables: dict[str, Any] = {"__name__": "__main__"}
    parts = []
    for cell in cells_of(notebook):
        if cell.is_markdown:
            parts.append(cell.text)
            continue
        parts.append(f"```python\n{cell.text}\n```")
        parts += _outputs(cell, variables, pictures, name)
    parts.append(f"This page is `notebooks/{name}.py`, run from its first cell to its last.")
    (docs / "notebooks").mkdir(exist_ok=True)
    page = re.sub(rf"{re.escape(tempfile.gettempdir())}/(tmp\w+/)?", "", "\n\n".join(parts))
    (docs / "notebooks" / f"{name}.md").write_text(page + "\n")


def _outputs(cell: Cell, variables: dict[str, Any], pictures: Path, name: str) -> Iterator[str]:
    """Run a cell; yield what it prints, the figures that it draws and its last value."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        value = _value(cell.text, variables)
    if printed.getvalue():
        yield f"```text\n{printed.getvalue().rstrip()}\n```"
    html = value._repr_html_() if hasattr(value, "_repr_html_") else None
    if html is not None:  # a figure has none, and is drawn below
        yield _html(html)
    for figure in _figures(value):
        path = pictures / f"{name}-{len(list(pictures.glob(f'{name}-*.png'))) + 1}.png"
        figure.savefig(path, dpi=130, bbox_inches="tight")
        yield f"![A plot of the cell above](../images/notebooks/{path.name})"


def _value(code: str, variables: dict[str, Any]) -> Any:
    """Run code and return the value of its last line where that is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "notebook", "exec"), variables)
    return None if last is None else eval(compile(ast.Expression(last.value), "notebook", "eval"), variables)


def _html(html: str) -> str:
    """Return HTML for a Markdown page, where a blank line would end it."""
    shown = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
    whole = re.sub(r"\n\s*\n", "\n&#8203;\n", shown)
    return f'<div class="notebook-output">\n{whole}\n</div>'


def _figures(value: Any) -> Iterator[Any]:
    """Yield the open figures and close them, and a value that is a figure."""
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    for number in plt.get_fignums():
        yield plt.figure(number)
        plt.close(number)
    if isinstance(value, Figure):
        yield value


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
