"""The result and the summary of `thinfile prepare` for a training table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.command.verb import Outcome, carried, shell_word
from pipelines.credit.loan import Status
from pipelines.erasures.record import NOTES
from pipelines.features.settings import FeatureSettings, What
from pipelines.marketplace.levels import Mismatch, mismatches
from pipelines.marketplace.manifest import MANIFEST
from pipelines.marketplace.settings import PrepareSettings
from pipelines.marketplace.training_table import APPLICATIONS, TRAINING, VINTAGES


def prepared_outcome(settings: PrepareSettings, lake: Path, manifest: Mapping[str, Any]) -> Outcome:
    """Return the outcome of a prepared training table from its manifest."""
    statuses, tables = manifest["applications"], manifest["tables"]
    strange = mismatches(settings.features, tables["orders"]["levels"])
    result = {
        "training": str(lake / TRAINING),
        "applications": str(lake / APPLICATIONS),
        "vintages": str(lake / VINTAGES),
        "manifest": str(lake / MANIFEST),
        "identity": manifest["identity"],
        "training_fingerprint": manifest["training_fingerprint"],
        "rows": {name: {key: table[key] for key in ("rows", "clean", "quarantined")} for name, table in tables.items()},
        "copies": {name: table.get("copies", 0) for name, table in tables.items()},
        "erased": {name: table.get("erased", 0) for name, table in tables.items()},
        "erasures": manifest.get(NOTES, []),
        "statuses": statuses,
        "bad": manifest["bad"],
        "features": len(manifest["numeric"]) + len(manifest["categorical"]),
        "undeclared_levels": {one.column: one.undeclared for one in strange if one.undeclared},
        "unseen_levels": {one.column: one.unseen for one in strange if one.unseen},
        "time_zone": settings.features.clock,
    }
    path = f" {shell_word('data.path', lake / TRAINING)}" if settings.name != "marketplace" else ""
    return Outcome(
        result,
        summary=_summary(settings, lake, manifest, strange),
        next_steps=[f"thinfile tune data=marketplace{path}{carried(settings)}"],
    )


def _summary(
    settings: PrepareSettings, lake: Path, manifest: Mapping[str, Any], strange: Sequence[Mismatch]
) -> list[str]:
    statuses = manifest["applications"]
    mature, bad = statuses[Status.mature.name], manifest["bad"]
    others = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in statuses.items()
                       if count and name != Status.mature.name)  # fmt: skip
    features = len(manifest["numeric"]) + len(manifest["categorical"])
    lines = [
        f"{name}: {table['clean']:,} of {table['rows']:,} rows are clean" for name, table in manifest["tables"].items()
    ]
    lines += [
        f"  quarantined {rows:,} {name}: {rule}"
        for name, table in manifest["tables"].items()
        for rule, rows in table["quarantined"].items()
    ]
    lines += [
        f"  {table['copies']:,} {name} are equal copies of other rows and count once"
        for name, table in manifest["tables"].items()
        if table.get("copies")
    ]
    lines += [
        f"  left out {table['erased']:,} {name} of erased people"
        for name, table in manifest["tables"].items()
        if table.get("erased")
    ]
    lines += [
        f"  {one['rows']:,} rows were erased later (entry {one['entry']} of the erasures) and are still counted above"
        for one in manifest.get(NOTES, ())
    ]
    return [
        *lines,
        f"{sum(statuses.values()):,} applications by {settings.loan.as_of}: {mature:,} mature, {others}",
        f"  {bad:,} mature applications are bad ({bad / mature:.1%}): {settings.loan.definition}",
        f"  {features} features, known strictly before each application; {manifest['first']} to {manifest['last']}",
        *_time_zone(settings.features),
        *(f"  {line}" for one in strange for line in one.lines()),
        f"  {lake / TRAINING}",
    ]


def _time_zone(features: FeatureSettings) -> list[str]:
    if not {What.timing, What.application} & set(features.what):
        return []
    return [f"  nights, weekends and paydays in the time zone {features.clock}; change it with features.time_zone=ZONE"]
