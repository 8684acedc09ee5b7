"""What a verb answers in Python: the values that `output=json` prints, a table of them, and text for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 20
"""Rows that a notebook shows of a table."""


@dataclass(frozen=True, repr=False)
class Result:
    """What a verb answers.

    `answer` has all that `output=json` prints, and `summary` is the text of a terminal. `exit_code` is 0, or 3 where
    the answer is no or cannot be given: a gate refused, an alarm was raised, nothing could be compared. A notebook
    shows a result as its first line, its table (`frame`) and the summary to unfold.
    """

    answer: Mapping[str, Any]
    summary: str
    exit_code: int

    @property
    def frame(self) -> "pd.DataFrame":
        """The table of the answer; empty where there is none."""
        import pandas as pd

        return pd.DataFrame()

    @property
    def _shown(self) -> "pd.DataFrame":
        """The table that a notebook shows."""
        return self.frame

    def __repr__(self) -> str:
        return self.summary.rstrip("\n")

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        head, _, rest = repr(self).partition("\n")
        frame = self._shown
        shown = frame.head(MOST_ROWS).to_html(na_rep="", float_format=_number) if len(frame) else ""
        more = f"<p>{len(frame) - MOST_ROWS:,} more rows</p>" if len(frame) > MOST_ROWS else ""
        whole = f"<details><summary>summary</summary><pre>{escape(rest)}</pre></details>" if rest else ""
        return f"<p><b>{escape(head.strip())}</b></p>{shown}{more}{whole}"


def optional_number(value: Any) -> int | None:
    """Return a whole number, or None of None."""
    return None if value is None else int(value)


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"
