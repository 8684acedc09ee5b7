"""The outcome of the verb watch: writes the report, acts on its alarm and summarises both."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from monitoring.alarms.raise_alarm import AlarmResult, act_on
from monitoring.measures.move import Move
from monitoring.thresholds.thresholds import MOVED
from monitoring.verdict.period_report import PeriodReport, Verdict
from monitoring.watch.settings import WatchSettings
from pipelines.command.verb import Outcome
from pipelines.score_log.columns import SHADOW
from pipelines.score_log.key import LogKey
from pipelines.storage.workspace import Workspace

SEVERITY = (Verdict.STABLE, Verdict.INCOMPLETE, Verdict.WATCH, Verdict.INCONCLUSIVE, Verdict.ACT)
"""Verdicts, the worst last."""

WITHOUT_EVIDENTLY = "  without Evidently's dashboard: run pip install 'thinfile[evidently]' to have it"


@dataclass(frozen=True)
class Samples:
    """Rows of features for Evidently's summary; either may be empty."""

    reference: pd.DataFrame
    current: pd.DataFrame

    def bounded(self, most: int) -> "Samples":
        """Return at most so many rows of each."""
        return Samples(_bounded(self.reference, most), _bounded(self.current, most))


@dataclass(frozen=True)
class WatchResult:
    """A report that is written, and the outcome of the verb for it."""

    report: PeriodReport
    outcome: Outcome


def act_and_write(report: PeriodReport, samples: Samples, settings: WatchSettings) -> WatchResult:
    """Write a report, act on its alarm, and return the summary of both."""
    workspace = Workspace.at(settings.workspace)
    files = _write(settings, workspace, report, samples)
    alarm = act_on(report, settings.alarms, workspace, {"html": files.html, "json": files.json})
    return WatchResult(report, _outcome(report, files, workspace, alarm))


def of_versions(results: Sequence[WatchResult]) -> Outcome:
    """Return the outcome of the reports of one period, one per version: the worst one's, and a list of all."""
    if len(results) == 1:
        return results[0].outcome
    worst = max(results, key=lambda one: SEVERITY.index(one.report.verdict))
    total = sum(one.report.rows for one in results)
    steps = [step for one in results for step in one.outcome.next_steps]
    decided = f"the {total:,} {worst.report.key.population.value} of {worst.report.window}"
    summary = [f"{len(results)} versions decided {decided}; a report for each:"]
    for one in results:
        summary += [f"version {one.report.key.version}: {one.outcome.summary[0]}", *map(str, one.outcome.summary[1:])]
    return Outcome(
        {**worst.outcome.result, "rows_of_all_versions": total, "versions": [one.outcome.result for one in results]},
        summary=summary,
        next_steps=list(dict.fromkeys(steps)),
        exit_code=max(one.outcome.exit_code for one in results),
    )


def report_folder(workspace: Workspace, key: LogKey) -> Path:
    """Return the folder of a key's report."""
    return workspace.reports / key.model / _folder_name(key) / key.population.value / key.period


def _folder_name(key: LogKey) -> str:
    return f"version-{key.version}-{SHADOW}" if key.role == SHADOW else f"version-{key.version}"


def _bounded(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    return rows if len(rows) <= most else rows.sample(most, random_state=0)


def _write(settings: WatchSettings, workspace: Workspace, report: PeriodReport, samples: Samples) -> Any:
    from monitoring.report.report_files import write_report

    key, shown = report.key, samples.bounded(settings.sample)
    numeric = {str(column) for column in shown.current.select_dtypes("number")}
    return write_report(
        report,
        reference_sample=shown.reference,
        current_sample=shown.current,
        categorical=[str(column) for column in shown.current if str(column) not in numeric],
        folder=report_folder(workspace, key),
        evidently_workspace=workspace.evidently,
        project=f"{key.model}, {key.population.value}",
        timestamp=datetime.strptime(key.period, "%Y-%m").replace(tzinfo=UTC),
        tags=[f"version {key.version}", key.population.value],
        metadata={"period": key.period},
    )


def _outcome(report: PeriodReport, files: Any, workspace: Workspace, alarm: AlarmResult) -> Outcome:
    key = report.key
    shadow = "SHADOW, no decision: " if key.role == SHADOW else ""
    head = (
        f"{shadow}{report.verdict.name}: {report.rows:,} {key.population.value} of {report.window} against "
        f"{report.reference}"
    )
    lines = [f"  {report.sentence}", *(f"  {one.heading}: {one.text}" for one in report.points)]
    lines += [f"  data fault: {one.seen} Likely cause: {one.cause}" for one in report.faults]
    lines += [f"  note: {one}" for one in report.notes]
    evidently = [f"evidently ui --workspace {shlex.quote(str(workspace.evidently))}"] if files.evidently_run else []
    lines += [f"  cannot see: {one}" for one in report.cannot_see]
    lines += [f"  smallest change named, {one.heading}: {one.text}" for one in report.smallest_changes]
    return Outcome(
        {**_result(report, files), "alarm": alarm.result},
        summary=[
            head,
            *lines,
            *(f"  {one}" for one in alarm.sentences),
            *([] if evidently else [WITHOUT_EVIDENTLY]),
            f"  report: {files.html}",
        ],
        next_steps=[f"open {shlex.quote(str(files.html))}", *evidently, *alarm.next_steps],
        exit_code=alarm.exit_code,
    )


def _result(report: PeriodReport, files: Any) -> Mapping[str, object]:
    key = report.key
    moved = [one for one in report.moves if one.judgement.level in MOVED]
    return {
        "model": key.model,
        "version": key.version,
        "role": key.role,
        "population": key.population.value,
        "period": key.period,
        "window": report.window,
        "reference": report.reference,
        "rows": report.rows,
        "verdict": report.verdict.value,
        "sentence": report.sentence,
        "causes": list(report.causes),
        "possible_immaturity": [str(one) for one in report.performance.immaturity] if report.performance else [],
        "cannot_see": list(report.cannot_see),
        "smallest_changes": {one.heading: one.text for one in report.smallest_changes},
        "moved": [_move(one) for one in sorted(moved, key=lambda one: -one.judgement.excess)],
        "faults": [asdict(one) for one in report.faults],
        "effect": None if report.effect is None else asdict(report.effect),
        "report": str(files.html),
        "report_json": str(files.json),
        "evidently_run": files.evidently_run,
    }


def _move(move: Move) -> dict[str, object]:
    judgement = move.judgement
    return {
        "column": move.column,
        "segment": move.segment,
        "level": judgement.level.value,
        "psi": judgement.psi,
        "limit": judgement.limit,
        "since": move.since,
    }
