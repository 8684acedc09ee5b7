"""The verb compare with study=NAME: the families and trials of one study side by side, and what it registered."""

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import Any

from experiments.compare.against_best import LEGEND, text_of
from experiments.compare.finalist import finalist_lines, finalist_record
from experiments.compare.settings import CompareSettings
from experiments.compare.studies import StudyRecord, study_record
from experiments.compare.study_page.study_page import write_study_page
from experiments.compare.study_table import figure
from experiments.compare.trial_rows import counts_of, family_rows, seconds_of, trial_rows
from experiments.search.trial_result import FOLDS
from pipelines.command.table import FittedTable, TableColumn
from pipelines.command.verb import Outcome, carried
from pipelines.model_store.store import existing_store
from pipelines.storage.workspace import Workspace

MOST_TRIALS = 10
"""So many of the best trials are listed; output=json has all."""

MOST_CAUSES = 3
"""So many causes of failed trials are named, the most frequent first."""

SHARED = (
    TableColumn("search AUC"),
    TableColumn("behind the best", figures=False),
    TableColumn("seconds", rank=1),
    TableColumn("µs/row", rank=2),
)

FAMILIES = (
    TableColumn("family", figures=False),
    TableColumn("best trial"),
    *SHARED,
    TableColumn("finished", rank=3),
    TableColumn("not finished", figures=False, rank=4),
)

TRIALS = (TableColumn("trial"), TableColumn("family", figures=False), *SHARED, TableColumn("trees", rank=3))


def compare_study(settings: CompareSettings) -> Outcome:
    """Return the families and trials of a study side by side, with the finalist, and write the study's page.

    Raises:
        RequestError: no study of the model has that name, or several do.
    """
    assert settings.study is not None
    store = existing_store(Workspace.at(settings.workspace), settings.model)
    record = study_record(store, settings.model, settings.study)
    result = study_result(settings.model, record)
    page = write_study_page(store, record, result["families"])
    version = result["final"] and result["final"]["version"]
    steps = [f"thinfile promote version={version}{carried(settings)}"] if version else []
    pages = {"page": str(page.path), "numbers": page.numbers}
    return Outcome(result | pages, summary=_summary(result), next_steps=[f"open {shlex.quote(str(page.path))}", *steps])


def study_result(model: str, record: StudyRecord) -> dict[str, Any]:
    """Return what is known of a study, as JSON values."""
    causes = Counter(trial.failure for trial in record.trials if trial.failure)
    return {
        "model": model,
        "study": record.name.short,
        "title": record.name.title,
        "candidate": record.name.candidate or None,
        "run_id": record.run_id,
        "folds": record.name.notes.get(FOLDS),
        "counts": counts_of(record.trials),
        "seconds": seconds_of(record.trials),
        "families": family_rows(record),
        "trials": trial_rows(record),
        "failures": dict(causes.most_common()),
        "final": finalist_record(record),
    }


def _summary(result: dict[str, Any]) -> list[Any]:
    counts = ", ".join(f"{count} {state}" for state, count in result["counts"].items() if count) or "none"
    folds = result["folds"]
    on = "no record of the folds, so differences have no intervals" if folds is None else f"{folds['number']} folds"
    lines: list[Any] = [f"study {result['title']}: trials {counts}; {result['seconds']:,.0f} s; {on}"]
    lines += [f"{count} failed with: {cause}" for cause, count in list(result["failures"].items())[:MOST_CAUSES]]
    if len(result["families"]) > 1:
        lines.append(_families(result["families"]))
    if result["trials"]:
        lines.append(_trials(result["trials"]))
    if any(row["behind"] for row in result["trials"]):
        lines.append(LEGEND)
    return [*lines, *finalist_lines(result["final"])]


def _families(rows: Sequence[dict[str, Any]]) -> FittedTable:
    table = FittedTable(f"{len(rows)} families, by their best trial", FAMILIES)
    for index, row in enumerate(rows):
        counts = row["trials"]
        others = ", ".join(f"{count} {state}" for state, count in counts.items() if count and state != "finished")
        trial = "-" if row["trial"] is None else str(row["trial"])
        table.rows.append([row["family"], trial, *_shared(row, index), str(counts["finished"]), others or "-"])
    return table


def _trials(rows: Sequence[dict[str, Any]]) -> FittedTable:
    shown = rows[:MOST_TRIALS]
    title = f"the best {len(shown)} of {len(rows)} finished trials" if len(rows) > len(shown) else "finished trials"
    table = FittedTable(title, TRIALS)
    for index, row in enumerate(shown):
        table.rows.append([str(row["trial"]), row["family"], *_shared(row, index), figure(row["trees"], 0)])
    return table


def _shared(row: dict[str, Any], index: int) -> list[str]:
    behind = text_of(row["behind"]) if index else "the best"
    return [figure(row["cv_auc"], 4), behind, figure(row["seconds"], 1), figure(row["cost"], 2)]
