"""Performance of a report from late labels: outcomes of a prepared marketplace or of flat tables, as far as known."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.outcomes.definitions import CONTRACT, chosen_definitions, own_definition
from monitoring.outcomes.earlier_loans import EarlierLoans
from monitoring.outcomes.early_reads import EARLY_READ, EARLY_READS
from monitoring.outcomes.label import Label
from monitoring.outcomes.marketplace_outcomes import outcomes_of_marketplace
from monitoring.outcomes.outcomes import OutcomeColumns, Outcomes, as_ids, outcomes_of_table
from monitoring.outcomes.performance import PerformanceReport, measure_performance
from monitoring.outcomes.settings import OutcomeSettings
from monitoring.outcomes.stored_estimates import StoredEstimates, estimates_folder
from monitoring.outcomes.versions import keys_by_period, other_folders
from monitoring.windows.months import end_of, month_from
from pipelines.credit.loan import DEFINITIONS, FIRST_PAYMENT, GOOD, UNLABELLED, LoanContract, recorded_contract
from pipelines.credit.outcome_words import outcome_words
from pipelines.credit.points import band_labels
from pipelines.credit.vintage import VintageTable
from pipelines.errors import ConfigurationError, nearest
from pipelines.marketplace.manifest import MANIFEST
from pipelines.policy.pack import PolicySettings
from pipelines.profiles.column_names import feature_named
from pipelines.reading.locations import opened_location
from pipelines.reading.reading import Reading
from pipelines.reading.tables import read_table
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.secrets.environment_text import resolved
from pipelines.storage.workspace import Workspace

COLUMNS = ["decision_id", "application_id", "pd", "band", "decision", "period", "model_version"]
MOST_PERIODS = 24


@dataclass(frozen=True)
class _KnownOutcomes:
    early: Outcomes | None
    full: Outcomes | None
    vintages: VintageTable | None = None
    later: Outcomes | None = None
    first_payment: Outcomes | None = None


def performance_of(
    workspace: Workspace,
    log: ScoreLog,
    key: LogKey,
    policy: PolicySettings | None,
    settings: OutcomeSettings,
    earlier: EarlierLoans | None = None,
    *,
    label: Label,
    today: str,
) -> PerformanceReport | None:
    """Return the performance of a period's decisions and of those before it, None without a source of outcomes.

    `earlier` are loans that the model was not fitted on: estimates without labels are recalibrated on them, and
    reweighted to resemble present applicants. `label` is that of the model, by which a table's outcomes are read.

    Raises:
        ConfigurationError: the definition is unknown, or both a marketplace and tables are given.
        DataError: outcomes cannot be read.
    """
    if policy is None or not (settings.marketplace or settings.table or settings.early_table):
        return None
    _check(settings)
    if settings.marketplace is None:
        outcomes = _of_tables(workspace, settings, label, settings.as_of or today)
    else:
        as_of = settings.as_of or end_of(key.period)
        outcomes = _of_marketplace(workspace, settings, settings.marketplace, label.outcome, as_of)
    keys = keys_by_period(log, key, MOST_PERIODS)
    parts = {period: pd.concat([log.decisions(one)[COLUMNS] for one in ones]) for period, ones in keys.items()}
    report = measure_performance(
        pd.concat(parts.values(), ignore_index=True),
        early=outcomes.early,
        full=outcomes.full,
        version=key.version,
        stored=StoredEstimates(estimates_folder(workspace, key), other_folders(workspace, key, keys)),
        bands=band_labels(policy.bands, policy.scale),
        settings=settings.performance,
        earlier=earlier,
        features=_features(log, keys, parts) if earlier is not None else None,
        vintages=outcomes.vintages,
        later=outcomes.later,
        first_payment=outcomes.first_payment,
    )
    return _matched(report, log, key, outcomes, parts, settings)


def _matched(
    report: PerformanceReport,
    log: ScoreLog,
    key: LogKey,
    outcomes: _KnownOutcomes,
    parts: Mapping[str, pd.DataFrame],
    settings: OutcomeSettings,
) -> PerformanceReport:
    """Return the report with the number of outcomes in tables that are of no decision of it.

    Where none is of any, by any version of the model, the ids are in another form, or another column.
    """
    tables = {} if settings.marketplace else {settings.table: outcomes.full, settings.early_table: outcomes.early}
    unmatched, left_out = [], []
    for path, table in tables.items():
        if table is None:
            continue
        rest = len(table.ids) - sum(_known_ids(table, rows) for rows in parts.values())
        others = (one for one in log.logged_keys() if (one.model, one.population) == (key.model, key.population))
        if rest == len(table.ids) and not any(_known_ids(table, log.decisions(one)) for one in others):
            first = "".join(f" (the first is '{one}')" for one in table.ids[:1])
            known = f"0 of {rest:,} ids of the outcomes in '{path}' are known to the score log{first}"
            unmatched.append(f"{known}; set outcomes.id to the column of application ids")
        elif rest:
            outcomes_left_out = f"{rest:,} of {len(table.ids):,} outcomes in '{path}'"
            left_out.append(f"{outcomes_left_out}: their decisions are not in this report")
        left_out += _open_windows(path, table, parts)
    if outcomes.full is not None and not outcomes.full.is_of_model:
        left_out.append(
            f"Matured outcomes are by {outcomes.full.definition}, not by the definition that the model learnt"
        )
    return replace(report, unmatched=tuple(unmatched), left_out=tuple(left_out))


def _open_windows(path: str | None, table: Outcomes, parts: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return how many outcomes count as unknown because the performance window of their applications is open."""
    open_from = table.open_from
    rows = sum(_known_ids(table, part) for period, part in parts.items() if open_from and period >= open_from)
    if not rows:
        return []
    return [f"{rows:,} outcomes in '{path}' of applications from {open_from} on: their performance window is open"]


def _known_ids(table: Outcomes, decisions: pd.DataFrame) -> int:
    ids = as_ids(pa.chunked_array([pa.array(decisions["application_id"])]))
    return int(pc.sum(pc.is_in(ids, value_set=table.ids)).as_py() or 0)


def _features(
    log: ScoreLog, keys: Mapping[str, Sequence[LogKey]], decisions: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    parts = [
        log.features(one).merge(decisions[period][["decision_id", "application_id"]], on="decision_id")
        for period, ones in keys.items()
        for one in ones
    ]
    features = pd.concat(parts, ignore_index=True).drop(columns="decision_id")
    return features.drop_duplicates("application_id").set_index("application_id").rename(columns=feature_named)


def _check(settings: OutcomeSettings) -> None:
    if settings.marketplace and (settings.table or settings.early_table):
        raise ConfigurationError(
            f"outcomes.marketplace={settings.marketplace} and a table of outcomes are both set; set only one of them"
        )
    try:
        date.fromisoformat(settings.as_of or end_of("2026-06"))
    except ValueError as error:
        raise ConfigurationError(
            f"outcomes.as_of is '{settings.as_of}'; write an ISO date such as 2026-06-30"
        ) from error
    if settings.performance_months is not None and settings.performance_months < 1:
        raise ConfigurationError(
            f"outcomes.performance_months is {settings.performance_months}; set at least 1, for example 12"
        )


def _of_tables(workspace: Workspace, settings: OutcomeSettings, label: Label, as_of: str) -> _KnownOutcomes:
    """Return the outcomes of flat tables; with a performance window only those whose window is over."""
    usual = OutcomeSettings()
    own = settings.early if settings.early != usual.early else f"{settings.bad} (early)"
    early = _of_table(workspace, settings.early_table, own, settings, label, "outcomes.early_table")
    own = settings.full or settings.bad
    full = _of_table(workspace, settings.table, own, settings, label, "outcomes.table")
    months = settings.performance_months or label.months
    if full is None or months is None:
        return _KnownOutcomes(early, full)
    # The first month whose last application has a window that ends after the date.
    open_from = month_from(as_of[:7], -months)
    return _KnownOutcomes(early, replace(full, is_mature=True, open_from=open_from))


def _of_marketplace(
    workspace: Workspace, settings: OutcomeSettings, name: str, outcome: str | None, as_of: str
) -> _KnownOutcomes:
    lake = workspace.lake / name
    named = {**DEFINITIONS, **EARLY_READS}
    known = {name: LoanContract(bad, as_of) for name, bad in named.items()} | _own_contract(lake, as_of)
    own = own_definition(known, outcome)
    names = chosen_definitions(settings, known, own)
    for chosen in names:
        if chosen not in known:
            raise ConfigurationError(
                f"'{chosen}' is not a definition of bad ({', '.join(known)}); {nearest(chosen, list(known))}"
            )
    needed = {*names, FIRST_PAYMENT, EARLY_READ}
    loans = outcomes_of_marketplace(lake, {one: known[one] for one in sorted(needed)})
    early, full = (loans.outcomes[one] for one in names)
    first = loans.outcomes[FIRST_PAYMENT]
    is_own = own is not None and outcome_words(known[names[1]]) == outcome_words(known[own])
    later = _after(first, loans.outcomes[EARLY_READ])
    return _KnownOutcomes(early, replace(full, is_of_model=is_own), loans.vintages[names[1]], later, first)


def _own_contract(lake: Path, as_of: str) -> dict[str, LoanContract]:
    """Return the loan contract that a marketplace was prepared with, by the name `contract`."""
    path = lake / MANIFEST
    loan = json.loads(path.read_text())["configuration"]["loan"] if path.exists() else None
    return {} if loan is None else {CONTRACT: replace(recorded_contract(resolved(loan)), as_of=as_of)}


def _after(first: Outcomes, other: Outcomes) -> Outcomes:
    """Return the outcomes of only those loans that are good by a first definition."""
    return replace(other, bad=np.where(first.of(other.ids) == GOOD, other.bad, UNLABELLED).astype(np.int8))


def _of_table(
    workspace: Workspace, path: str | None, definition: str, settings: OutcomeSettings, label: Label, setting: str
) -> Outcomes | None:
    if path is None:
        return None
    with opened_location(path, workspace.root, setting=setting) as local:
        table = read_table(local, settings, workspace.root, setting=setting, group="outcomes")
    reading = Reading.of(settings)
    reading = replace(reading, nulls=tuple(dict.fromkeys([*reading.nulls, *label.nulls])))
    columns = OutcomeColumns(settings.id, settings.bad, settings.bad_value, label, reading)
    return replace(outcomes_of_table(table, definition, columns, of_everyone=True), is_mature=False)
