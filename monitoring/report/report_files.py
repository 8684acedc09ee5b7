"""Writes the report of a period: report.html, report.json and a run in the Evidently workspace."""

import html
import json
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from monitoring.measures.move import Move
from monitoring.report.evidently_adapter import EvidentlyRun, Headline, MarkdownText, TestedColumn
from monitoring.report.evidently_chart import chart_bars, layout
from monitoring.report.facts import facts_of
from monitoring.report.ordering import headline, is_moved, score_first
from monitoring.report.page import leading_part, style_sheet
from monitoring.thresholds.thresholds import Level
from monitoring.verdict.period_report import PeriodReport, Verdict
from pipelines.storage.atomic_files import whole_file

MOST_COLUMNS = 10
SEVERITY = {
    Verdict.STABLE: "success",
    Verdict.WATCH: "warning",
    Verdict.ACT: "error",
    Verdict.INCOMPLETE: "info",
    Verdict.INCONCLUSIVE: "warning",
}
DESCRIPTIONS = {
    Level.ACT: "Moved: act",
    Level.WATCH: "Moved: watch",
    Level.QUIET: "Not moved",
    Level.TOO_SMALL: "Too small to compare",
}


@dataclass(frozen=True)
class ReportFiles:
    """The files of a report; `evidently_run` is the id of its run in the Evidently workspace."""

    html: Path
    json: Path
    evidently_run: str


def write_report(
    report: PeriodReport,
    *,
    reference_sample: pd.DataFrame,
    current_sample: pd.DataFrame,
    categorical: Collection[str],
    folder: Path,
    evidently_workspace: Path,
    project: str,
    timestamp: datetime,
    tags: Sequence[str] = (),
    metadata: Mapping[str, str] | None = None,
) -> ReportFiles:
    """Write `report.html` and `report.json` into `folder`, and the same report as a run of an Evidently project.

    The samples are used for Evidently's summary at the end of the page only; columns that it cannot summarise are left
    out and named. A report of the same project and title is replaced, so writing it twice, or again after a crash,
    leaves one.
    """
    about = {"timestamp": timestamp, "tags": [report.verdict.value, *tags], "metadata": dict(metadata or {})}
    run = _run(report, reference_sample, current_sample, categorical, about)
    run_id = run.store(evidently_workspace, project, report.title)
    facts = facts_of(report) | about | {"evidently": {"project": project, "run": str(run_id)}}
    _write(folder / "report.html", _page(run, report))
    _write(folder / "report.json", json.dumps(facts, indent=1, allow_nan=False, default=datetime.isoformat))
    return ReportFiles(folder / "report.html", folder / "report.json", str(run_id))


def _run(
    report: PeriodReport,
    reference: pd.DataFrame,
    current: pd.DataFrame,
    categorical: Collection[str],
    about: Mapping[str, object],
) -> EvidentlyRun:
    """Run the report with Evidently's summary of the samples, or with the reason why there is none.

    A summary takes long to draw, so the columns of the largest effect are summarised first, and only some.
    """
    first = Headline(report.title, report.verdict.name, SEVERITY[report.verdict], report.sentence)
    texts, tested = _texts(report), [_tested(move) for move in score_first(report.moves)]

    def run(note: str, samples: Mapping[str, Sequence[pd.Series]]) -> EvidentlyRun:
        text = MarkdownText("Evidently's own view of a sample, not the alarm", note)
        return EvidentlyRun(first, texts, tested, text, samples, {**about, "name": report.title})

    rank = {one.column: index for index, one in enumerate(tested)}
    try:
        pairs, hidden, note = explorable_columns(reference, current, categorical)
        shown = dict(sorted(pairs.items(), key=lambda pair: rank.get(pair[0], len(rank)))[:MOST_COLUMNS])
        if hidden:
            note += f" Without {', '.join(map(_plain, hidden))}: empty, in one sample only, or too many categories."
        if len(shown) < len(pairs):
            note += f" Of the {len(pairs):,} columns these are the {len(shown)} of largest effect."
        return run(note, shown)
    except Exception as cause:  # a sample that Evidently cannot read must not stop the alarm
        logging.getLogger(__name__).warning("Evidently could not summarise the samples", exc_info=True)
        return run(_plain(f"Left out, because of {cause!r}."), {})


def _texts(report: PeriodReport) -> list[MarkdownText]:
    points = [f"- **{_plain(one.heading)}**: {_plain(one.text)}" for one in report.points]
    faults = [
        f"- **{_plain(one.kind)}{f', {_plain(one.column)}' if one.column else ''}**: "
        f"{_plain(f'{one.seen} {one.cause} {one.remedy}')}"
        for one in report.faults
    ]
    limits = [f"- {_plain(one)}" for one in report.cannot_see]
    limits += [f"- **Smallest change, {_plain(one.heading)}**: {_plain(one.text)}" for one in report.smallest_changes]
    notes = [f"- {_plain(note)}" for note in report.notes]
    lists = {"": [*points, *notes], "Data faults": faults, "What this report cannot see": limits}
    return [MarkdownText(title, "\n".join(lines)) for title, lines in lists.items() if lines]


def _tested(move: Move) -> TestedColumn:
    role = "feature" if move.role == "feature" else "score"
    is_drawn = is_moved(move) or role == "score"
    return TestedColumn(
        column=move.column,
        role=role,
        psi=move.judgement.psi,
        limit=move.judgement.limit,
        has_moved=is_moved(move),
        name=headline(move),
        description=DESCRIPTIONS[move.judgement.level],
        chart=(chart_bars(move), layout(move)) if is_drawn else None,
    )


def _plain(text: str) -> str:
    """Escape the characters that are markup in Markdown; columns have names like `_n_orders_`."""
    return re.sub(r"([\\`*_\[\]<>#~|&!])", r"\\\1", text)


def _page(run: EvidentlyRun, report: PeriodReport) -> str:
    """Return our part of the page, then Evidently's, whose data are escaped: a category may be called `</script>`."""
    page = re.sub(r"^    var .*", lambda data: data[0].replace("<", r"\u003c"), run.page(), count=2, flags=re.MULTILINE)
    head = f"<head>\n<title>{html.escape(report.title)}</title>\n<style>\n{style_sheet()}</style>"
    page = page.replace("<head>", head, 1).strip()
    return page.replace("<body>", f"<body>\n{leading_part(report)}", 1)


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


MOST_CATEGORIES = 100


def explorable_columns(
    reference: pd.DataFrame, current: pd.DataFrame, categorical: Collection[str]
) -> tuple[dict[str, list[pd.Series]], list[str], str]:
    """Return both samples of each column that Evidently can summarise, the other columns, and a note on the rows."""
    shared = [name for name in reference if name in current]
    pairs = {str(name): _alike(reference[name], current[name], name in categorical) for name in shared}
    shown = {name: pair for name, pair in pairs.items() if all(map(_can_be_drawn, pair))}
    hidden = [name for name in dict.fromkeys(map(str, [*reference, *current])) if name not in shown]
    note = f"For exploration: {len(reference):,} rows of the reference and {len(current):,} of this window."
    return shown, hidden, note


def _alike(reference: pd.Series, current: pd.Series, is_category: bool) -> list[pd.Series]:
    """Return both columns as floats without infinities, or both as text."""
    pair = [reference, current]
    if is_category or not all(is_numeric_dtype(column) and not is_bool_dtype(column) for column in pair):
        return [column.astype(object).map(str, na_action="ignore") for column in pair]
    return [column.astype(float).replace([np.inf, -np.inf], np.nan) for column in pair]


def _can_be_drawn(column: pd.Series) -> bool:
    """Whether a column has values (an empty one ends the report, evidently#1480) and not too many categories."""
    return bool(column.notna().any()) and (is_numeric_dtype(column) or column.nunique() <= MOST_CATEGORIES)
