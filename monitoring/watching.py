"""The verb watch: the drift report of a period, and whether the alarm rings."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from monitoring.drift import Finding, Verdict, compare_counts, verdict_of
from monitoring.settings import WatchSettings
from monitoring.windows import Window, open_window
from pipelines.errors import RequestError
from pipelines.model_store.packaging import PROFILE
from pipelines.model_store.store import ModelStore, RegisteredModel, existing_store
from pipelines.reference_profile import ReferenceProfile
from pipelines.score_log import LogKey, ScoreLog, check_period
from pipelines.verb import ExitCode, Outcome
from pipelines.workspace import Workspace

SHOWN = 5
"""The summary names so many of the columns that moved."""


def watch(settings: WatchSettings) -> Outcome:
    """Compare a period's decisions with the reference profile of the model that made them and write the report.

    Raises:
        RequestError: no champion or no such version; nothing scored in the period; a model without reference profile.
    """
    check_period(settings.period)
    workspace = Workspace.at(settings.workspace)
    store = existing_store(workspace, settings.model)
    model = (
        store.version(settings.model, settings.version) if settings.version else store.require_champion(settings.model)
    )
    profile = _profile(store, model)
    log = ScoreLog(workspace)
    window = open_window(log, LogKey(settings.model, model.version, settings.population, settings.period), profile)
    findings = compare_counts(profile, window.counts, settings.alarm)
    verdict = verdict_of(findings)
    sentence = _sentence(verdict, findings, window, profile, settings)
    files = _write(settings, workspace, window, _earlier_sample(log, window.key), findings, verdict, sentence)
    return _outcome(window, findings, verdict, sentence, files, workspace)


def _profile(store: ModelStore, model: RegisteredModel) -> ReferenceProfile:
    path = store.download(model) / PROFILE
    if not path.exists():
        raise RequestError(
            f"{model.name} version {model.version} has no reference profile to compare with; promote it with "
            "`thinfile promote`, which gives it one"
        )
    return ReferenceProfile.from_json(path.read_text())


def _earlier_sample(log: ScoreLog, key: LogKey) -> pd.DataFrame:
    """Return the features of the period before, for exploration; no rows are kept beside the model itself."""
    earlier = [period for period in log.periods(key.model, key.version, key.population) if period < key.period]
    found = log.features(replace(key, period=earlier[-1])) if earlier else pd.DataFrame()
    return found.drop(columns="decision_id", errors="ignore")


def _sentence(
    verdict: Verdict, findings: Sequence[Finding], window: Window, profile: ReferenceProfile, settings: WatchSettings
) -> str:
    moved = sum(finding.alarmed for finding in findings)
    base = (
        f"{len(window):,} {window.key.population.value} of {window.key.period} against {profile.rows:,} reference rows"
    )
    if verdict is Verdict.STABLE:
        return f"{base}: nothing moved beyond PSI {settings.alarm.floor:g} and what noise alone would reach."
    score = next(finding for finding in findings if finding.is_score)
    told = f"the score moved too (PSI {score.psi:.2f})" if score.alarmed else f"the score did not (PSI {score.psi:.2f})"
    return f"{base}: {moved} of {len(findings)} columns moved beyond what noise can explain; {told}."


def _write(
    settings: WatchSettings,
    workspace: Workspace,
    window: Window,
    earlier: pd.DataFrame,
    findings: Sequence[Finding],
    verdict: Verdict,
    sentence: str,
) -> Any:
    from monitoring.evidently_report import write_report

    key = window.key
    numeric = [str(column) for column in window.features.select_dtypes("number")]
    return write_report(
        title=f"{key.model} version {key.version}, {key.population.value} of {key.period}",
        verdict=verdict,
        summary=sentence,
        findings=findings,
        reference_sample=_bounded(earlier, settings.sample),
        current_sample=_bounded(window.features, settings.sample),
        categorical=[str(column) for column in window.features if column not in numeric],
        folder=report_folder(workspace, key),
        evidently_workspace=workspace.evidently,
        project=f"{key.model}, {key.population.value}",
        timestamp=datetime.strptime(key.period, "%Y-%m").replace(tzinfo=UTC),
        tags=[f"version {key.version}", key.population.value],
        metadata={"period": key.period},
    )


def report_folder(workspace: Workspace, key: LogKey) -> Path:
    """Return the folder of a key's report."""
    return workspace.reports / key.model / f"version-{key.version}" / key.population.value / key.period


def _bounded(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    return rows if len(rows) <= most else rows.sample(most, random_state=0)


def _outcome(
    window: Window, findings: Sequence[Finding], verdict: Verdict, sentence: str, files: Any, workspace: Workspace
) -> Outcome:
    moved = sorted((one for one in findings if one.alarmed), key=lambda one: one.limit / one.psi)
    lines = [f"  {one.column}: PSI {one.psi:.2f}, limit {one.limit:.2f}" for one in moved[:SHOWN]]
    lines += [f"  and {len(moved) - SHOWN} more"] if len(moved) > SHOWN else []
    result = {
        "model": window.key.model,
        "version": window.key.version,
        "population": window.key.population.value,
        "period": window.key.period,
        "rows": len(window),
        "verdict": verdict.value,
        "moved": [one.column for one in moved],
        "findings": [asdict(one) for one in findings],
        "report": str(files.html),
        "report_json": str(files.json),
        "evidently_run": files.evidently_run,
    }
    return Outcome(
        result,
        summary=[f"{verdict.name}: {sentence}", *lines, f"  report: {files.html}"],
        next_steps=[f"open {files.html}", f"evidently ui --workspace {workspace.evidently}"],
        exit_code=ExitCode.ANSWER_IS_NO if verdict is Verdict.ACT else ExitCode.DONE,
    )
