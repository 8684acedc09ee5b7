"""What `watch` answers in Python."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.command.result import Result
from pipelines.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

MOVE_COLUMNS = ["column", "segment", "role", "level", "psi", "limit", "since", "rows", "reference_rows"]


class WatchResult(Result):
    """What `watch` answers; `frame` has every comparison. Actions other than the report have `answer` alone."""

    @property
    def verdict(self) -> str | None:
        """The verdict: stable, watch, act, incomplete or inconclusive."""
        verdict = self.answer.get("verdict")
        return None if verdict is None else str(verdict)

    @property
    def moved(self) -> Sequence[Mapping[str, Any]]:
        """The columns that moved, the largest move first."""
        return list(self.answer.get("moved", []))

    @property
    def faults(self) -> Sequence[Mapping[str, Any]]:
        """The faults of the data."""
        return list(self.answer.get("faults", []))

    @property
    def causes(self) -> Sequence[str]:
        """What the report names as the cause, such as mix shift."""
        return [str(one) for one in self.answer.get("causes", [])]

    @property
    def effect(self) -> Mapping[str, float]:
        """Approval rate and mean PD of the month and of the reference; empty where neither is known."""
        return dict(self.answer.get("effect") or {})

    @property
    def report(self) -> Path | None:
        """The page of the report."""
        return Path(self.answer["report"]) if "report" in self.answer else None

    @property
    def frame(self) -> "pd.DataFrame":
        """Every column and segment that was compared, the largest effect first.

        `level` is act, watch or stable, `limit` the PSI above which the column counts as moved, `since` the first month
        of a move that lasts.
        """
        import pandas as pd

        return pd.DataFrame(self._stored.get("moves", []), columns=MOVE_COLUMNS)

    def bins(self, column: str, segment: str = "all") -> "pd.DataFrame":
        """Return the shares of a column by bin: of the reference and of the month.

        Raises:
            RequestError: the report does not compare this column.
        """
        import pandas as pd

        compared = {(one["column"], one["segment"]): one for one in self._stored.get("moves", [])}
        if (column, segment) not in compared:
            columns = ", ".join(sorted({name for name, _ in compared}))
            raise RequestError(f"column '{column}' of segment '{segment}' was not compared; choose one of {columns}")
        move = compared[column, segment]
        counts = pd.DataFrame({name: move[name] for name in ("reference", "current")}, index=move["labels"])
        return counts / counts.sum()

    @cached_property
    def _stored(self) -> Mapping[str, Any]:
        path = self.answer.get("report_json")
        return {} if path is None else dict(json.loads(Path(path).read_text()))
