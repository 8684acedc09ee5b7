"""The table of a model's studies."""

from collections.abc import Sequence
from typing import Any

from experiments.compare.against_best import LEGEND, text_of
from pipelines.command.table import FittedTable, TableColumn

COLUMNS = (
    TableColumn("study", figures=False),
    TableColumn("candidate", figures=False, wraps=True),
    TableColumn("search AUC"),
    TableColumn("behind the best", figures=False),
    TableColumn("test AUC", rank=1),
    TableColumn("shrinkage", rank=3),
    TableColumn("finished", rank=4),
    TableColumn("not finished", figures=False, rank=7),
    TableColumn("seconds", rank=5),
    TableColumn("µs/row", rank=2),
    TableColumn("state", figures=False),
)

OTHER_FOLDS = {"the best": "the best", "other": "other folds", "unknown": "folds unknown"}
"""What stands in place of a difference, by whether the folds are those of the best study."""


def study_table(model: str, rows: Sequence[dict[str, Any]]) -> FittedTable:
    """Return the table of studies, best first."""
    title = f"{model}: {len(rows)} stud{'y' if len(rows) == 1 else 'ies'}, by the search AUC of the best trial"
    table = FittedTable(title, COLUMNS)
    for row in rows:
        trials = row["trials"]
        others = ", ".join(f"{count} {state}" for state, count in trials.items() if count and state != "finished")
        table.rows.append(
            [
                row["study"],
                _candidate(row),
                figure(row["cv_auc"], 4),
                OTHER_FOLDS.get(row["folds"], text_of(row["behind"])),
                figure(row["test_auc"], 4),
                figure(row["shrinkage"], 4),
                str(trials["finished"]),
                others or "-",
                figure(row["seconds"], 0),
                figure(row["cost"], 2),
                row["state"],
            ]
        )
    return table


def study_remarks(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return what a reader of the table must know."""
    return [LEGEND] if any(row["behind"] for row in rows) else []


def figure(value: float | None, digits: int) -> str:
    """Return a number with so many decimals, a dash for none.

    >>> figure(0.78125, 3), figure(None, 3)
    ('0.781', '-')
    """
    return "-" if value is None else f"{value:,.{digits}f}"


def _candidate(row: dict[str, Any]) -> str:
    candidate, family = row["candidate"] or "unknown", row["best_family"]
    return candidate if family in (None, candidate) else f"{candidate} ({family})"
