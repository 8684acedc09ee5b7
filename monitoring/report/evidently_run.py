"""The report of a period as a run of Evidently, with Evidently's own summary of a sample."""

import logging
import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from monitoring.measures.move import Move
from monitoring.report.evidently_adapter import EvidentlyRun, Headline, MarkdownText, TestedColumn
from monitoring.report.evidently_chart import chart_bars, layout
from monitoring.report.ordering import headline, is_moved, score_first
from monitoring.report.period_figures import figures_of
from monitoring.thresholds.thresholds import Level
from monitoring.verdict.period_report import PeriodReport, Verdict

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


def run_of(
    report: PeriodReport,
    reference: pd.DataFrame,
    current: pd.DataFrame,
    categorical: Collection[str],
    about: Mapping[str, object],
) -> EvidentlyRun:
    """Run the report with Evidently's summary of the samples, or with the reason why there is none.

    A summary takes long to draw, so the columns of the largest effect are summarised first, and only some.
    """
    first = Headline(report.title, report.verdict, SEVERITY[report.verdict], report.sentence)
    texts, tested = _texts(report), [_tested(move) for move in score_first(report.moves)]

    def run(note: str, samples: Mapping[str, Sequence[pd.Series]]) -> EvidentlyRun:
        text = MarkdownText("Evidently's own view of a sample, not the alarm", note)
        return EvidentlyRun(first, texts, tested, figures_of(report), text, samples, {**about, "name": report.title})

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
