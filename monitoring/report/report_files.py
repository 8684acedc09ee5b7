"""Writes the report of a period: report.html, report.json and, where Evidently is installed, a run in its workspace."""

import html
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from monitoring.report.facts import facts_of
from monitoring.report.page import leading_part, page_of, style_sheet
from monitoring.verdict.period_report import PeriodReport
from pipelines.storage.atomic_files import whole_file


@dataclass(frozen=True)
class ReportFiles:
    """The files of a report.

    `evidently_run` is the id of its run in the Evidently workspace, None where Evidently is not installed.
    """

    html: Path
    json: Path
    evidently_run: str | None


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
    facts, run_id = facts_of(report) | about, None
    if has_evidently():
        from monitoring.report.evidently_run import run_of

        run = run_of(report, reference_sample, current_sample, categorical, about)
        run_id = str(run.store(evidently_workspace, project, report.title))
        facts |= {"evidently": {"project": project, "run": run_id}}
        page = _above(run.page(), report)
    else:
        page = page_of(report)
    _write(folder / "report.html", page)
    _write(folder / "report.json", json.dumps(facts, indent=1, allow_nan=False, default=datetime.isoformat))
    return ReportFiles(folder / "report.html", folder / "report.json", run_id)


def has_evidently() -> bool:
    """Return whether Evidently is installed."""
    return find_spec("evidently") is not None


def _above(page: str, report: PeriodReport) -> str:
    """Return our part of the page, then Evidently's, whose data are escaped: a category may be called `</script>`."""
    page = re.sub(r"^    var .*", lambda data: data[0].replace("<", r"\u003c"), page, count=2, flags=re.MULTILINE)
    head = f"<head>\n<title>{html.escape(report.title)}</title>\n<style>\n{style_sheet()}</style>"
    page = page.replace("<head>", head, 1).strip()
    return page.replace("<body>", f"<body>\n{leading_part(report, has_sample=True)}", 1)


def _write(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
