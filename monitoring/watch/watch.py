"""The verb watch: the report of a period of the score log, and its alarm."""

import socket
from dataclasses import replace

import pandas as pd

from monitoring.alarms.settings import check_alarms
from monitoring.decision_mix.decision_mix import decision_mixes
from monitoring.faults.table_faults import findings_of_marketplace
from monitoring.faults.window_faults import faults_of, intake_of
from monitoring.measures.attribution import attribute
from monitoring.measures.changed_levels import changed_levels
from monitoring.measures.effects import effect_of
from monitoring.measures.moves import find_moves
from monitoring.outcomes.earlier_loans import EarlierLoans, earlier_loans
from monitoring.outcomes.label import Label, label_of
from monitoring.outcomes.late_labels import performance_of
from monitoring.verdict.facts import Facts
from monitoring.verdict.period_report import PeriodReport
from monitoring.verdict.verdict import build_report
from monitoring.watch.settings import WatchSettings
from monitoring.watch.watch_result import Samples, WatchResult, act_and_write, of_versions, report_folder
from monitoring.windows.months import end_of
from monitoring.windows.references import reference_for
from monitoring.windows.windows import (
    PeriodCounts,
    Window,
    check_window,
    day_of,
    earlier_periods,
    open_window,
    sample_of,
)
from pipelines.command.verb import Outcome
from pipelines.errors import RequestError, ThinfileError
from pipelines.ledger.champion import dispute_of, disputed_champion, with_dispute
from pipelines.model_store.profile import profile_path
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore, existing_store
from pipelines.policy.pack import PolicySettings
from pipelines.policy.stored_policies import kept_policy
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.score_log.columns import SHADOW
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.workspace import Workspace


def watch(settings: WatchSettings) -> Outcome:
    """Compare a window of decisions with its reference, write the report and act on it.

    Without a version there is a report of each version that decided applications of the period: each has its own
    reference.

    Raises:
        RequestError: there is no champion or no such version, nothing was scored in the period, or the model has no
            reference profile.
    """
    check_window(settings.period, settings)
    check_alarms(settings.alarms)
    workspace = Workspace.at(settings.workspace)
    store = existing_store(workspace, settings.model)
    if settings.version is not None:
        version, dispute = store.version(settings.model, settings.version).version, dispute_of(store, settings.model)
    else:
        champion = disputed_champion(store, settings.model)
        version, dispute = champion.registered.version, champion.dispute
    key = LogKey(settings.model, version, settings.population, settings.period)
    log = ScoreLog(workspace)
    keys = [_in_its_role(log, key)] if settings.version else _deciding(log, key)
    return with_dispute(of_versions([_watch_version(workspace, store, one, settings) for one in keys]), dispute)


def _in_its_role(log: ScoreLog, key: LogKey) -> LogKey:
    """Return the key of what a version decided in a period, or of its shadow scores where it decided nothing."""
    shadow = replace(key, role=SHADOW)
    return shadow if log.partitions(shadow) and not log.partitions(key) else key


def _deciding(log: ScoreLog, key: LogKey) -> list[LogKey]:
    """Return the keys of the versions that decided applications of a period, the champion's first."""
    others = [one for one in log.other_versions(key) if log.count(one)]
    return [key, *others] if log.partitions(key) or not others else others


def _watch_version(workspace: Workspace, store: ModelStore, key: LogKey, settings: WatchSettings) -> WatchResult:
    model = store.version(key.model, key.version)
    known_at = settings.outcomes.as_of or end_of(key.period)
    earlier = earlier_loans(workspace, store, model, settings.outcomes.marketplace, known_at)
    report, samples = report_of(workspace, _profile(store, model), key, settings, earlier, label_of(store, model))
    result = act_and_write(report, samples, settings)
    folder = report_folder(workspace, key)
    store.describe(model, {"Report": f"{report.window} {report.verdict.name}, `{folder}` on {socket.gethostname()}"})
    return result


def report_of(
    workspace: Workspace,
    profile: ReferenceProfile,
    key: LogKey,
    settings: WatchSettings,
    earlier: EarlierLoans | None = None,
    label: Label | None = None,
) -> tuple[PeriodReport, Samples]:
    """Return the report of a window, and samples of the features of this period and the one before."""
    log, today = ScoreLog(workspace), day_of(settings.today)
    counts = PeriodCounts(log, profile)
    window = open_window(counts, key, settings)
    reference = reference_for(counts, key, settings.reference, window.periods[0])
    policy, notes = _policy(workspace, window)
    notes += _other_versions(log, key)
    notes += _quarantined(workspace, log, window)
    samples = Samples(_earlier_sample(log, key), sample_of(log, key))
    if window.incomplete is not None:
        facts = Facts(incomplete=window.incomplete)
    else:
        faults, searched = faults_of(workspace, counts, window, reference, samples.current)
        tables = findings_of_marketplace(workspace, settings.outcomes.marketplace, window, reference)
        facts = Facts(
            moves=find_moves(counts, window, reference, policy, settings, settings.thresholds),
            attribution=attribute(reference, window.profile, policy),
            share_changes=[*changed_levels(reference, window.profile, samples.current), *tables.share_changes],
            faults=[*faults, *tables.faults],
            effect=effect_of(reference, window.profile, policy),
            rows=len(window),
            searched=searched,
            decision_mix=decision_mixes(workspace, counts, key, policy),
            performance=performance_of(
                workspace, log, key, policy, settings.outcomes, earlier, label=label or Label(), today=today
            ),
        )
    shadow = " (shadow scores, no decisions)" if key.role == SHADOW else ""
    title = f"{key.model} version {key.version}{shadow}, {key.population.value} of {window.name}"
    return build_report(title, window, reference, facts, notes), samples


def _earlier_sample(log: ScoreLog, key: LogKey) -> pd.DataFrame:
    """Return the features of the period before, for exploration: a model is stored without rows of its development."""
    earlier = earlier_periods(log, key)
    return sample_of(log, replace(key, period=earlier[-1])) if earlier else pd.DataFrame()


def _profile(store: ModelStore, model: RegisteredModel) -> ReferenceProfile:
    path = profile_path(store, model)
    if path is None:
        raise RequestError(
            f"{model.name} version {model.version} has no reference profile to compare with; run `thinfile promote` to "
            "create one"
        )
    return ReferenceProfile.from_json(path.read_text())


def _other_versions(log: ScoreLog, key: LogKey) -> list[str]:
    """Return a note on what other versions of the model decided in the period, none where they decided nothing."""
    rows = {other.version: log.count(other) for other in log.other_versions(key)}
    others = [f"version {version} decided {number:,}" for version, number in rows.items() if number]
    if not others:
        return []
    own = log.count(key)
    return [
        f"This report is about {own:,} of the {own + sum(rows.values()):,} applications of {key.period}: "
        f"{' and '.join(others)}, in a report of its own."
    ]


def _quarantined(workspace: Workspace, log: ScoreLog, window: Window) -> list[str]:
    """Return a note on the rows that were delivered and broke a rule, none without them."""
    intake = intake_of(workspace, log, [replace(window.key, period=period) for period in window.periods])
    if intake is None or not intake.quarantined:
        return []
    rule, rows = max(intake.quarantined.items(), key=lambda one: one[1])
    return [
        f"{sum(intake.quarantined.values()):,} of {intake.rows:,} delivered rows are in quarantine and in no figure of "
        f"this report, most because {rule} ({rows:,})."
    ]


def _policy(workspace: Workspace, window: Window) -> tuple[PolicySettings | None, list[str]]:
    try:
        return kept_policy(workspace, window.policy_hash), []
    except ThinfileError as error:
        return None, [f"Bands, decisions and performance are not in this report: {error}."]
