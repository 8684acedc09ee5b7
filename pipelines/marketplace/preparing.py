"""The verb prepare: raw tables -> clean buckets -> features and outcomes by bucket -> one training table."""

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.atomic import whole_file
from pipelines.credit.loan import Status, check
from pipelines.engine.spark_engine import check_spark
from pipelines.features.catalogue import features_of
from pipelines.features.kernel import feature_columns
from pipelines.features.settings import check_features
from pipelines.fingerprint import fingerprint_code, fingerprint_files, fingerprint_record
from pipelines.lock import exclusive
from pipelines.marketplace.buckets import CLEAN
from pipelines.marketplace.intake import take_in
from pipelines.marketplace.manifest import MANIFEST
from pipelines.marketplace.prepared import Recipe, prepare_buckets, recipe_of
from pipelines.marketplace.raw_files import find_files, fingerprint_raw
from pipelines.marketplace.settings import Engine, PrepareSettings, check_resources
from pipelines.marketplace.tables import CONTRACTS
from pipelines.marketplace.training_table import APPLICATIONS, TRAINING, VINTAGES, Counts, check_as_of, offer
from pipelines.provenance import provenance
from pipelines.settings import plain
from pipelines.verb import Outcome, carried
from pipelines.workspace import Workspace

log = logging.getLogger(__name__)

BYTES_A_BUCKET = 16_000_000
"""Of raw files; about half a million orders: large enough to be worth a task, small enough to be held several times."""

INTAKE = "intake.json"


@dataclass(frozen=True)
class Taken:
    """What the intake made: its identity, the number of buckets, and rows by table."""

    identity: str
    buckets: int
    tables: Mapping[str, Any]


def prepare(settings: PrepareSettings) -> Outcome:
    """Make the training table; what was made of the same content and settings is not made again.

    Raises:
        ConfigurationError: no thread or no memory; a loan contract that means nothing; features that cannot be; Spark
            asked for where it cannot run.
        DataError: the tables break their contracts (see `take_in`), or hold no outcomes to learn from.
    """
    check_resources(settings)
    check(settings.loan)
    check_features(settings.features)
    if settings.engine is Engine.spark:
        check_spark()
    lake = Workspace.at(settings.workspace).lake / settings.name
    contents = fingerprint_raw(settings.raw, settings.threads)
    with exclusive(lake.with_name(f".{settings.name}.lock")):  # two commands would take each other's buckets away
        return _outcome(settings, lake, _prepared(settings, lake, contents))


def _prepared(settings: PrepareSettings, lake: Path, contents: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the manifest of what the settings ask for, made where it is not there."""
    taken = _take_in(settings, lake, contents)
    check_as_of(lake, settings.loan)
    recipe = recipe_of(lake, taken.identity, settings.loan, settings.features)
    manifest = lake / MANIFEST
    is_offered = manifest.exists() and json.loads(manifest.read_text())["identity"] == recipe.identity
    if not (is_offered and all(recipe.is_made(bucket) for bucket in range(taken.buckets))):
        prepare_buckets(recipe, taken.buckets, settings.threads, settings.engine, settings.memory)
        _write_manifest(manifest, settings, taken, recipe, offer(recipe))
    found: Mapping[str, Any] = json.loads(manifest.read_text())
    return found


def _take_in(settings: PrepareSettings, lake: Path, contents: Mapping[str, str]) -> Taken:
    """Return the intake of the raw tables: the one that is there, when the same bytes were read the same way."""
    told = plain(settings.raw) | {"folder": None, "contents": contents, "code": fingerprint_code("marketplace/*.py")}
    identity, place = fingerprint_record(told), lake / INTAKE
    if place.exists() and (lake / CLEAN).exists():
        kept = json.loads(place.read_text())
        if kept["identity"] == identity:
            return Taken(**kept)
    size = sum(path.stat().st_size for one in CONTRACTS for path in find_files(settings.raw, one.name).paths)
    buckets = math.ceil(size / BYTES_A_BUCKET)
    log.info("reading %s MB of raw tables", f"{size / 1e6:,.0f}")
    place.unlink(missing_ok=True)  # it must not speak for tables that are about to be replaced
    intake = take_in(settings.raw, lake, buckets=buckets, threads=settings.threads, memory_limit=settings.memory)
    taken = Taken(identity, buckets, {name: asdict(table) for name, table in intake.tables.items()})
    _write(place, asdict(taken))
    return taken


def _write_manifest(path: Path, settings: PrepareSettings, taken: Taken, recipe: Recipe, counts: Counts) -> None:
    numeric, categorical = feature_columns(settings.features)
    _write(
        path,
        {
            "identity": recipe.identity,
            "configuration": plain(settings),
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
        },
    )


def _write(path: Path, record: Mapping[str, Any]) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1))


def _outcome(settings: PrepareSettings, lake: Path, manifest: Mapping[str, Any]) -> Outcome:
    statuses, tables = manifest["applications"], manifest["tables"]
    result = {
        "training": str(lake / TRAINING),
        "applications": str(lake / APPLICATIONS),
        "vintages": str(lake / VINTAGES),
        "manifest": str(lake / MANIFEST),
        "identity": manifest["identity"],
        "training_fingerprint": manifest["training_fingerprint"],
        "rows": {name: {key: table[key] for key in ("rows", "clean", "quarantined")} for name, table in tables.items()},
        "statuses": statuses,
        "bad": manifest["bad"],
        "features": len(manifest["numeric"]) + len(manifest["categorical"]),
    }
    path = f" data.path={lake / TRAINING}" if settings.name != "marketplace" else ""
    return Outcome(
        result,
        summary=_summary(settings, lake, manifest),
        next_steps=[f"thinfile tune data=marketplace{path}{carried(settings)}"],
    )


def _summary(settings: PrepareSettings, lake: Path, manifest: Mapping[str, Any]) -> list[str]:
    statuses = manifest["applications"]
    mature, bad = statuses[Status.mature.name], manifest["bad"]
    others = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in statuses.items()
                       if count and name != Status.mature.name)  # fmt: skip
    features = len(manifest["numeric"]) + len(manifest["categorical"])
    definition = settings.loan.bad
    lines = [
        f"{name}: {table['clean']:,} of {table['rows']:,} rows are clean" for name, table in manifest["tables"].items()
    ]
    lines += [
        f"  quarantined {rows:,} {name}: {rule}"
        for name, table in manifest["tables"].items()
        for rule, rows in table["quarantined"].items()
    ]
    return [
        *lines,
        f"{sum(statuses.values()):,} applications by {settings.loan.as_of}: {mature:,} mature, {others}",
        f"  {bad:,} of the mature are bad ({bad / mature:.1%}): {definition.days_past_due} days past due within "
        f"{definition.window_months} months on book",
        f"  {features} features, known strictly before each application; {manifest['first']} to {manifest['last']}",
        f"  {lake / TRAINING}",
    ]
