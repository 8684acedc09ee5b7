"""The verb prepare: raw tables -> clean buckets -> features and outcomes by bucket -> one training table."""

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pipelines.book.observation import Observation, observation_of
from pipelines.book.prepare_book import prepare_book
from pipelines.book.prepare_join import prepare_join
from pipelines.book.prepare_summary import prepared_outcome
from pipelines.book.preview_summary import preview_outcome
from pipelines.command.provenance import provenance
from pipelines.command.verb import Outcome
from pipelines.credit.loan import check
from pipelines.credit.population import Population
from pipelines.engine.spark_engine import check_spark
from pipelines.erasures.record import read_erasures
from pipelines.errors import ConfigurationError
from pipelines.features.catalogue import features_of
from pipelines.features.kernel import feature_columns
from pipelines.features.settings import FeatureSettings, check_features
from pipelines.marketplace.buckets import CLEAN
from pipelines.marketplace.extract import check_as_of
from pipelines.marketplace.intake import BOOK_TABLES, TRAINING_TABLES, run_intake
from pipelines.marketplace.loan_rules import LoanRules
from pipelines.marketplace.manifest import INTAKE, MANIFEST, IntakeRecord
from pipelines.marketplace.opened_raw import opened_raw
from pipelines.marketplace.prepared import Recipe, prepare_buckets, recipe_of
from pipelines.marketplace.preview import preview_tables
from pipelines.marketplace.settings import Engine, PrepareSettings, RawSettings, TableMapping, check_resources
from pipelines.marketplace.sources import TableSource, find_source, find_sources, fingerprint_sources
from pipelines.marketplace.tables import BAD_FLAG, OWN_APPLICATIONS
from pipelines.marketplace.training_table import Counts, publish, remove_earlier
from pipelines.secrets.environment_text import to_record
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.fingerprint import fingerprint_code, fingerprint_files, fingerprint_record
from pipelines.storage.json_values import to_json_values
from pipelines.storage.lake_folder import check_own_folder
from pipelines.storage.lock import file_lock
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)

BYTES_A_BUCKET = 16_000_000
"""Of raw files; about half a million orders: large enough for a task, small enough for memory."""


def prepare(settings: PrepareSettings) -> Outcome:
    """Make the training table or the book, unless it was made of the same content and settings before; or a preview.

    Raises:
        ConfigurationError: no thread or no memory; the name of a folder with raw tables; an invalid loan contract or
            observation; features that cannot be computed; Spark where it is not installed.
        DataError: the tables break their contracts (see `run_intake`), or have no outcomes to learn from.
    """
    check_resources(settings)
    settings = replace(settings, raw=_with_flag(settings))
    with opened_raw(settings.raw, Workspace.at(settings.workspace).lake) as raw:
        return _prepare(settings, raw)


def _prepare(settings: PrepareSettings, raw: RawSettings) -> Outcome:
    """Return what `prepare` does; `raw` names the files of this machine, and the settings those of the user."""
    if settings.check:
        erasures = read_erasures(Workspace.at(settings.workspace))
        required = required_tables(settings)
        rules = LoanRules.of(settings.loan)
        beside = Workspace.at(settings.workspace).lake
        preview = preview_tables(raw, beside, required, settings.threads, settings.memory, erasures, rules)
        return preview_outcome(preview)
    check_features(settings.features)
    settings = replace(settings, features=_on_a_clock(settings))
    observation = _observation(settings)
    if settings.engine is Engine.spark:
        check_spark()
    lake = Workspace.at(settings.workspace).lake / settings.name
    own = find_source(raw, OWN_APPLICATIONS.name, is_required=False)
    sources = find_sources(raw, required_tables(settings))
    with file_lock(lake.with_name(f".{settings.name}.lock")):  # two commands would remove each other's buckets
        check_own_folder(lake, "prepare")
        taken = _take_in(settings, raw, lake, sources)
        if observation is not None:
            return prepare_book(settings, lake, taken, observation)
        if own is not None:
            return prepare_join(settings, raw, lake, taken, own)
        return prepared_outcome(settings, lake, _prepared(settings, lake, taken))


def _observation(settings: PrepareSettings) -> Observation | None:
    """Return the observation of a book, which uses only the feature lag of the loan contract; None for applications."""
    if settings.population is Population.book:
        check(replace(settings.loan, as_of="2000-01-01"))
        return observation_of(settings)
    if settings.observed_at is not None:
        raise ConfigurationError(
            f"observed_at={settings.observed_at} is only for a book; leave it out, or add population=book"
        )
    is_joined = settings.raw.tables.own_applications.has_source
    check(replace(settings.loan, as_of="2000-01-01") if is_joined else settings.loan)
    return None


def required_tables(settings: PrepareSettings) -> tuple[str, ...]:
    """Return the tables that are needed: purchases alone for a book, and for applications of the user's own.

    Instalments are not needed where the lender's own flag is the label.
    """
    if settings.population is Population.book or settings.raw.tables.own_applications.has_source:
        return BOOK_TABLES
    return tuple(one for one in TRAINING_TABLES if one != "instalments" or settings.loan.bad_flag is None)


def _with_flag(settings: PrepareSettings) -> RawSettings:
    """Return the mapping of the raw tables, the lender's own flag with it; one that is mapped already stays."""
    mapping, flag = settings.raw.tables.applications, settings.loan.bad_flag
    if flag is None or BAD_FLAG in mapping.columns:
        return settings.raw
    applications = replace(mapping, columns=mapping.columns | {BAD_FLAG: flag})
    return replace(settings.raw, tables=replace(settings.raw.tables, applications=applications))


def _prepared(settings: PrepareSettings, lake: Path, taken: IntakeRecord) -> Mapping[str, Any]:
    """Return the manifest of the training table of these settings, which is made unless it exists."""
    check_as_of(lake, settings.loan, taken.tables)
    has_marketplaces = taken.tables["applications"]["levels"].get("marketplace")
    segments = ("marketplace",) if has_marketplaces else ()
    recipe = recipe_of(lake, taken.identity, settings.loan, settings.features, segments)
    manifest = lake / MANIFEST
    if not (_is_offered(manifest, recipe, taken) and all(recipe.is_made(bucket) for bucket in range(taken.buckets))):
        prepare_buckets(recipe, taken.buckets, settings)
        replaced = _read_manifest(manifest).get("identity")
        _write_manifest(manifest, settings, taken, recipe, publish(recipe))
        remove_earlier(recipe, replaced)
    return _read_manifest(manifest)


def _is_offered(manifest: Path, recipe: Recipe, taken: IntakeRecord) -> bool:
    record = _read_manifest(manifest)
    return (record.get("identity"), record.get("intake")) == (recipe.identity, taken.identity)


def _read_manifest(manifest: Path) -> Mapping[str, Any]:
    record: Mapping[str, Any] = json.loads(manifest.read_text()) if manifest.exists() else {}
    return record


def _on_a_clock(settings: PrepareSettings) -> FeatureSettings:
    features = settings.features
    time_zone = features.time_zone or settings.raw.time_zone or features.clock
    return replace(features, time_zone=time_zone, term_period=settings.loan.repayment.period)


def _take_in(
    settings: PrepareSettings, raw: RawSettings, lake: Path, sources: Mapping[str, TableSource]
) -> IntakeRecord:
    """Return the intake of the raw tables; an earlier one of the same bytes and settings is reused."""
    tables = replace(settings.raw.tables, own_applications=TableMapping())
    inputs = to_json_values(replace(settings.raw, tables=tables)) | {
        "folder": None,
        "database": None,
        "contents": fingerprint_sources(sources, settings.threads),
        "loan": to_json_values(LoanRules.of(settings.loan)),
        "code": fingerprint_code("marketplace/*.py"),
    }
    identity, path = fingerprint_record(inputs), lake / INTAKE
    if path.exists() and (lake / CLEAN).exists():
        kept = json.loads(path.read_text())
        if kept["identity"] == identity:
            return IntakeRecord(**kept)
    size = sum(source.bytes for source in sources.values())
    buckets = math.ceil(size / BYTES_A_BUCKET)
    log.info("reading %s MB of raw tables", f"{size / 1e6:,.0f}")
    path.unlink(missing_ok=True)  # the tables that it describes are about to be replaced
    erasures = read_erasures(Workspace.at(settings.workspace))
    intake = run_intake(
        raw,
        lake,
        buckets=buckets,
        threads=settings.threads,
        memory_limit=settings.memory,
        required=required_tables(settings),
        erasures=erasures,
        rules=LoanRules.of(settings.loan),
    )
    taken = IntakeRecord(identity, buckets, {name: asdict(table) for name, table in intake.tables.items()})
    _write(path, asdict(taken))
    return taken


def _write_manifest(path: Path, settings: PrepareSettings, taken: IntakeRecord, recipe: Recipe, counts: Counts) -> None:
    """Write the manifest beside the links and beside the folder that they point to."""
    numeric, categorical = feature_columns(settings.features)
    record = {
        "identity": recipe.identity,
        "intake": taken.identity,
        "configuration": to_record(to_json_values(settings)),
        "made_with": provenance(settings.threads),
        "tables": taken.tables,
        "applications": counts.statuses,
        "bad": counts.bad,
        "first": counts.first,
        "last": counts.last,
        "features": [
            {"name": one.name, "meaning": one.meaning, "direction": one.direction.value, "what": one.what.value}
            for one in features_of(settings.features)
        ],
        "numeric": numeric,
        "categorical": categorical,
        "training_fingerprint": fingerprint_files({path.name: path for path in recipe.mature.glob("*.parquet")}),
    }
    for file in (recipe.folder / MANIFEST, path):
        _write(file, record)


def _write(path: Path, record: Mapping[str, Any]) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1))
