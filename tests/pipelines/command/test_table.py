"""A table is never cut inside a figure: columns are left out by rank, and named."""

import io

import pytest
from rich.console import Console

from pipelines.command.table import FittedTable, TableColumn

COLUMNS = [
    TableColumn("version"),
    TableColumn("candidate", figures=False, rank=1),
    TableColumn("AUC (95% interval)"),
    TableColumn("KS", rank=2),
    TableColumn("Brier", rank=3),
]
ROWS = [["1", "scorecard", "0.821 (0.753 to 0.879)", "0.558", "0.160"]]


def printed(width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, soft_wrap=True)
    console.print(FittedTable("models", COLUMNS, list(ROWS)))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", range(45, 120))
def test_every_figure_that_is_shown_is_whole_and_every_other_column_is_named(width: int) -> None:
    text = printed(width)
    assert "0.821 (0.753 to 0.879)" in text
    assert "…" not in text
    for column, value in zip(COLUMNS, ROWS[0], strict=True):
        assert (value in text) or (f"{column.title}" in text.partition("not shown at this width: ")[2])


def test_a_wide_terminal_shows_all_and_a_narrow_one_the_important_columns() -> None:
    assert "not shown" not in printed(100)
    assert "not shown at this width: Brier (output=json has all)" in printed(60)
    assert "not shown at this width: candidate, KS, Brier" in printed(45)


def test_brackets_are_text_and_a_long_word_is_folded() -> None:
    console = Console(file=io.StringIO(), width=20)
    console.print(
        FittedTable("", [TableColumn("what", figures=False, wraps=True)], [["[bold] leave_out=[a_long_name]"]])
    )
    assert isinstance(console.file, io.StringIO)
    assert "".join(console.file.getvalue().split()).endswith("[bold]leave_out=[a_long_name]")
