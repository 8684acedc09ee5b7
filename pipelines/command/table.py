"""A table that fits the terminal: where it is too narrow, whole columns are left out and named below."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

PADDING = 3
"""Characters between two columns."""


@dataclass(frozen=True)
class TableColumn:
    """A column: its title, whether it holds figures, and its `rank`; the highest rank is left out first.

    A column of rank 0 always stays. Figures are never broken; the text of a `wraps` column is.
    """

    title: str
    figures: bool = True
    rank: int = 0
    wraps: bool = False


@dataclass
class FittedTable:
    """Rows of text under columns, printed by rich at whatever width there is."""

    title: str
    columns: Sequence[TableColumn]
    rows: list[Sequence[str]] = field(default_factory=list)

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        """Yield the table with the columns that fit, and a line that names the others."""
        from rich.text import Text

        shown = self.fitting(options.max_width)
        yield self._table(shown)
        left_out = [column.title for index, column in enumerate(self.columns) if index not in shown]
        if left_out:
            yield Text(f"not shown at this width: {', '.join(left_out)} (output=json has all)")

    def fitting(self, width: int) -> list[int]:
        """Return the positions of the columns that fit into a width, in order."""
        shown = list(range(len(self.columns)))
        while self._width(shown) > width:
            droppable = [index for index in shown if self.columns[index].rank]
            if not droppable:
                break
            shown.remove(max(droppable, key=lambda index: (self.columns[index].rank, index)))
        return shown

    def _width(self, shown: Sequence[int]) -> int:
        return sum(self._width_of(index) + PADDING for index in shown) + 1

    def _width_of(self, index: int) -> int:
        column = self.columns[index]
        texts = [column.title, *(row[index] for row in self.rows)]
        lengths = [max(map(len, text.split()), default=0) if column.wraps else len(text) for text in texts]
        return max(lengths)

    def _table(self, shown: Sequence[int]) -> Any:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        table = Table(title=self.title or None, box=SIMPLE_HEAD, title_justify="left")
        for index in shown:
            column = self.columns[index]
            table.add_column(column.title, **_layout(column))
        for row in self.rows:
            table.add_row(*(Text(row[index]) for index in shown))  # brackets in a text are no markup
        return table


def _layout(column: TableColumn) -> dict[str, Any]:
    overflow = "fold" if column.wraps else "ellipsis"
    return {"justify": "right" if column.figures else "left", "no_wrap": not column.wraps, "overflow": overflow}
