"""The verb watch on tables that were scored elsewhere: the same report, from one pass over each table."""

from importlib import import_module
from importlib.util import find_spec
from threading import Thread

from monitoring.alarms.settings import check_alarms
from monitoring.faults.duplicates import repeated_share
from monitoring.faults.observed import Intake, Observed
from monitoring.faults.search import find_faults
from monitoring.faults.window_faults import months_of, searched_of
from monitoring.measures.attribution import attribute
from monitoring.measures.changed_levels import changed_levels
from monitoring.measures.effects import effect_of
from monitoring.measures.moves import compare
from monitoring.verdict.facts import Facts
from monitoring.verdict.period_report import PeriodReport
from monitoring.verdict.verdict import build_report
from monitoring.watch.settings import TableSettings, WatchSettings
from monitoring.watch.watch_result import Samples, act_and_write, report_folder
from monitoring.windows.external_tables import ExternalTables, open_external_tables
from monitoring.windows.windows import Window, check_window, why_incomplete
from pipelines.command.verb import Outcome
from pipelines.errors import RequestError
from pipelines.profiles.dimensions import dimensions_of
from pipelines.profiles.engines import engine_of
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.typed_tables import TableReader
from pipelines.reading.locations import opened_location
from pipelines.score_log.key import LogKey
from pipelines.storage.atomic_files import scratch_folder, whole_file
from pipelines.storage.workspace import Workspace

PROFILES = ("reference_profile.json", "window_profile.json")
"""Files next to the report, so that the next report does not need to read the tables again."""


def watch_external_tables(settings: WatchSettings) -> Outcome:
    """Compare a table that was scored elsewhere with another one, write the report and act on it.

    Raises:
        RequestError: one of the two tables is not named.
        DataError: a table or a column is missing.
    """
    check_window(settings.period, settings)
    check_alarms(settings.alarms)
    # What writes the page takes seconds to import, while the tables are counted outside of Python's lock.
    writer = "evidently_run" if find_spec("evidently") else "report_files"
    Thread(target=import_module, args=(f"monitoring.report.{writer}",), daemon=True).start()
    report, tables = report_of_tables(settings)
    for name, profile in zip(PROFILES, (tables.reference_profile, tables.window_profile), strict=True):
        with whole_file(report_folder(Workspace.at(settings.workspace), report.key) / name) as temporary:
            temporary.write_text(profile.to_json())
    return act_and_write(report, Samples(tables.reference_sample, tables.window_sample), settings).outcome


def report_of_tables(settings: WatchSettings) -> tuple[PeriodReport, ExternalTables]:
    """Return the report of a table that was scored elsewhere, and what it was computed from."""
    if settings.input is None or settings.reference_input is None:
        raise RequestError(
            f"input={settings.input} and reference_input={settings.reference_input}: a table that was scored elsewhere "
            "needs a reference; set both"
        )
    workspace, table = Workspace.at(settings.workspace), settings.table
    roles = roles_of(table)
    with (
        scratch_folder(workspace.root) as scratch,
        opened_location(settings.input, scratch, setting="input") as window_path,
        opened_location(settings.reference_input, scratch, setting="reference_input") as reference_path,
        engine_of(
            table.engine, threads=table.threads, memory=table.memory, scratch=scratch, spark=table.spark
        ) as engine,
    ):
        tables = open_external_tables(
            window_path,
            reference_path,
            roles,
            settings.population,
            engine,
            TableReader(table, scratch, coded=roles.by_name, ignored=roles.ignored),
            most_sampled=settings.sample,
        )
    key = LogKey(settings.model, settings.version or 0, settings.population, settings.period)
    window = Window(key, (settings.period,), tables.window, "", why_incomplete(settings.period, settings.today))
    title = f"{key.model}, {key.population.value} of {window.name}, scored elsewhere"
    facts = _facts(tables, window, settings)
    return build_report(title, window, tables.reference, facts, tables.notes), tables


def roles_of(settings: TableSettings) -> TableRoles:
    """Return the roles of the columns."""
    return TableRoles(
        settings.score,
        settings.pd,
        dimensions_of(settings, (), key="table"),
        settings.band,
        settings.decision,
        tuple(settings.categorical),
        tuple(settings.ignored),
    )


def _facts(tables: ExternalTables, window: Window, settings: WatchSettings) -> Facts:
    if window.incomplete is not None:
        return Facts(incomplete=window.incomplete)
    reference, sample = tables.reference, tables.window_sample
    rows = len(window)
    columns = window.profile.overall.columns
    intake = Intake(rows, fingerprints=frozenset([tables.window_profile.source]))
    repeated = repeated_share(sample, rows) if len(sample) else None
    now = Observed(settings.period, rows, columns, intake, repeated, window.profile.overall.scores)
    return Facts(
        moves=compare(reference, window.profile, None, settings.thresholds, settings.period),
        attribution=attribute(reference, window.profile, None),
        share_changes=changed_levels(reference, window.profile, sample),
        faults=find_faults(reference.profile, now, sample, months=months_of(reference)),
        effect=effect_of(reference, window.profile, None),
        rows=rows,
        not_compared=tables.not_compared,
        searched=searched_of(now, reference, sample),
    )
