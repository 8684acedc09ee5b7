"""The verb watch: the report of a period, what to do about it, and whether the alarm rings."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from monitoring.causes import causes_of
from monitoring.conduct import conduct_of
from monitoring.effects import effect_of
from monitoring.late_labels import performance_of
from monitoring.moves import find_moves
from monitoring.period_report import Fault, Move, PeriodReport, Verdict
from monitoring.references import Reference, reference_for
from monitoring.score_comparison import compare_scores
from monitoring.settings import WatchSettings
from monitoring.thresholds import EVERYONE, Level
from monitoring.verdict import Facts, points_of, sentence_of, verdict_of
from monitoring.windows import Window, earlier_periods, open_window, sample_of
from pipelines.errors import RequestError, ThinfileError
from pipelines.kept_policies import kept_policy
from pipelines.model_store.files import PROFILE
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore, existing_store
from pipelines.policy import PolicySettings
from pipelines.reference_profile import ReferenceProfile
from pipelines.score_log import LogKey, ScoreLog, check_period
from pipelines.verb import ExitCode, Outcome
from pipelines.workspace import Workspace


def watch(settings: WatchSettings) -> Outcome:
    """Compare a window of decisions with its reference, write the report, and do what the action policy says.

    Raises:
        RequestError: no champion or no such version; nothing scored in the period; a model without reference profile.
    """
    check_period(settings.period)
    workspace = Workspace.at(settings.workspace)
    store = existing_store(workspace, settings.model)
    model = (
        store.version(settings.model, settings.version) if settings.version else store.require_champion(settings.model)
    )
    key = LogKey(settings.model, model.version, settings.population, settings.period)
    report, sample = report_of(workspace, _profile(store, model), key, settings)
    files = _write(settings, workspace, report, sample)
    return _outcome(report, files, workspace)


def report_of(
    workspace: Workspace, profile: ReferenceProfile, key: LogKey, settings: WatchSettings
) -> tuple[PeriodReport, pd.DataFrame]:
    """Return all that a report says of a window, and a sample of the window's features."""
    log = ScoreLog(workspace)
    reference = reference_for(log, key, profile, settings.reference)
    window = open_window(log, key, profile, settings)
    policy, notes = _policy(workspace, window)
    sample = sample_of(log, key)
    if window.incomplete is not None:
        facts = Facts((), (), None, (), None, window.incomplete)
    else:
        moves = find_moves(log, window, reference, policy, settings)
        facts = Facts(
            moves=moves,
            faults=(),
            effect=effect_of(reference, window.profile, policy),
            conduct=conduct_of(workspace, log, key, profile, policy),
            performance=performance_of(workspace, log, key, policy, settings.outcomes),
            incomplete=None,
        )
        notes += _notes(reference, facts.faults, moves)
    return _report(window, reference, facts, notes), sample


def _report(window: Window, reference: Reference, facts: Facts, notes: list[str]) -> PeriodReport:
    key, verdict = window.key, verdict_of(facts)
    return PeriodReport(
        title=f"{key.model} version {key.version}, {key.population.value} of {window.name}",
        key=key,
        window=window.name,
        reference=reference.name,
        rows=len(window),
        verdict=verdict,
        sentence=sentence_of(facts, verdict),
        points=points_of(facts),
        moves=tuple(facts.moves),
        faults=tuple(facts.faults),
        effect=facts.effect,
        conduct=tuple(facts.conduct),
        performance=facts.performance,
        notes=tuple(notes),
        score=compare_scores(reference.total.scores, window.profile.overall.scores),
        causes=causes_of(facts.moves, facts.faults, facts.performance),
    )


def _profile(store: ModelStore, model: RegisteredModel) -> ReferenceProfile:
    path = store.download(model) / PROFILE
    if not path.exists():
        raise RequestError(
            f"{model.name} version {model.version} has no reference profile to compare with; promote it with "
            "`thinfile promote`, which gives it one"
        )
    return ReferenceProfile.from_json(path.read_text())


def _policy(workspace: Workspace, window: Window) -> tuple[PolicySettings | None, list[str]]:
    """Return the policy that the window was decided under, or why it is not there."""
    try:
        return kept_policy(workspace, window.policy_hash), []
    except ThinfileError as error:
        return None, [f"Bands, decisions and performance are left out: {error}."]


def _notes(reference: Reference, faults: tuple[Fault, ...] | list[Fault], moves: list[Move]) -> list[str]:
    found = []
    if len(reference.overall) == 1:
        found.append(
            "The reference is one period: how much months differ by themselves is not known, only sampling counts as "
            "noise."
        )
    small = sorted({one.segment for one in moves if one.judgement.level is Level.TOO_SMALL and one.segment != EVERYONE})
    if small:
        found.append(f"Too small to tell drift from chance: {', '.join(small)}.")
    if faults:
        found.append("A column with a fault moves the score and other columns with it; mend it before reading them.")
    return found


def _earlier_sample(log: ScoreLog, key: LogKey) -> pd.DataFrame:
    """Return the features of the period before, for exploration; no rows are kept beside the model itself."""
    earlier = earlier_periods(log, key)
    return sample_of(log, replace(key, period=earlier[-1])) if earlier else pd.DataFrame()


def _write(settings: WatchSettings, workspace: Workspace, report: PeriodReport, sample: pd.DataFrame) -> Any:
    from monitoring.evidently_report import write_report

    key = report.key
    numeric = [str(column) for column in sample.select_dtypes("number")]
    return write_report(
        report,
        reference_sample=_bounded(_earlier_sample(ScoreLog(workspace), key), settings.sample),
        current_sample=_bounded(sample, settings.sample),
        categorical=[str(column) for column in sample if column not in numeric],
        folder=report_folder(workspace, key),
        evidently_workspace=workspace.evidently,
        project=f"{key.model}, {key.population.value}",
        timestamp=datetime.strptime(key.period, "%Y-%m").replace(tzinfo=UTC),
    )


def report_folder(workspace: Workspace, key: LogKey) -> Path:
    """Return the folder of a key's report."""
    return workspace.reports / key.model / f"version-{key.version}" / key.population.value / key.period


def _bounded(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    return rows if len(rows) <= most else rows.sample(most, random_state=0)


def _outcome(report: PeriodReport, files: Any, workspace: Workspace) -> Outcome:
    key = report.key
    head = (
        f"{report.verdict.name}: {report.rows:,} {key.population.value} of {report.window} against {report.reference}"
    )
    lines = [f"  {report.sentence}", *(f"  {one.heading}: {one.text}" for one in report.points)]
    lines += [f"  fault: {one.seen} Likely: {one.cause}" for one in report.faults]
    lines += [f"  note: {one}" for one in report.notes]
    return Outcome(
        _result(report, files),
        summary=[head, *lines, f"  report: {files.html}"],
        next_steps=[f"open {files.html}", f"evidently ui --workspace {workspace.evidently}"],
        exit_code=ExitCode.ANSWER_IS_NO if report.verdict is Verdict.ACT else ExitCode.DONE,
    )


def _result(report: PeriodReport, files: Any) -> Mapping[str, object]:
    key = report.key
    moved = [one for one in report.moves if one.judgement.level in (Level.WATCH, Level.ACT)]
    return {
        "model": key.model,
        "version": key.version,
        "population": key.population.value,
        "period": key.period,
        "window": report.window,
        "reference": report.reference,
        "rows": report.rows,
        "verdict": report.verdict.value,
        "sentence": report.sentence,
        "causes": list(report.causes),
        "moved": [_told(one) for one in sorted(moved, key=lambda one: -one.judgement.excess)],
        "faults": [asdict(one) for one in report.faults],
        "effect": None if report.effect is None else asdict(report.effect),
        "report": str(files.html),
        "report_json": str(files.json),
        "evidently_run": files.evidently_run,
    }


def _told(move: Move) -> dict[str, object]:
    judged = move.judgement
    return {
        "column": move.column,
        "segment": move.segment,
        "level": judged.level.value,
        "psi": judged.psi,
        "limit": judged.limit,
        "since": move.since,
    }
