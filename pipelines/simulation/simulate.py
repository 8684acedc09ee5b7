"""The verb simulate: a marketplace that does not exist, written part by part, whose true PDs are known."""

import json
import logging
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.command.progress import progress
from pipelines.command.provenance import provenance
from pipelines.command.verb import Outcome, carried, override
from pipelines.simulation.checks import check_settings
from pipelines.simulation.parts import Plan, Target, part_path, write_parts
from pipelines.simulation.settings import Scenario, SimulateSettings
from pipelines.simulation.tables import TABLES
from pipelines.simulation.world import World, build_world, from_month, is_on
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.fingerprint import fingerprint_code, fingerprint_record
from pipelines.storage.lake_folder import check_own_folder
from pipelines.storage.lock import file_lock
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
COUNTED = ("approved", "random_approvals", "disbursed")
UNMEANT = ("workspace", "output", "debug", "name", "threads")
"""Settings that change nothing of what is simulated."""


def simulate(settings: SimulateSettings) -> Outcome:
    """Simulate a marketplace into the lake; what an earlier run of the same settings has made stays.

    Raises:
        ConfigurationError: settings out of their range, a scenario that begins outside of the months, or the name of a
            folder that holds what `prepare` made.
    """
    check_settings(settings)
    world = build_world(settings)
    plan = Plan(settings.customers, settings.customers_per_part)
    folder = Workspace.at(settings.workspace).lake / settings.name
    record = _meaning(settings)
    with file_lock(folder.with_name(f".{settings.name}.lock")):
        check_own_folder(folder, "simulate")
        manifest = _finished(folder, fingerprint_record(record))
        if manifest is None:
            manifest = _make(settings, world, plan, folder, record)
    return _outcome(settings, folder, manifest)


def _make(settings: SimulateSettings, world: World, plan: Plan, folder: Path, record: dict[str, Any]) -> dict[str, Any]:
    target = Target(folder, fingerprint_record(record))
    (folder / MANIFEST).unlink(missing_ok=True)
    _clear(folder, plan)
    rows: dict[str, int] = {}
    title = f"simulating {settings.customers:,} customers"
    with progress(title, plan.parts, log) as advance:
        for done, counts in enumerate(write_parts(world, plan, target, settings.threads), start=1):
            rows = {name: rows.get(name, 0) + count for name, count in counts.items()}
            advance(done, f"{rows['orders']:,} simulated orders")
    manifest = {
        "simulated": True,
        "fingerprint": target.fingerprint,
        "as_of": _spell(world.period.ends_at),
        "parts": plan.parts,
        "rows": {name: rows[name] for name in TABLES},
        "counts": {name: rows[name] for name in COUNTED},
        **record,
        "made_by": provenance(settings.threads),
    }
    with whole_file(folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def _meaning(settings: SimulateSettings) -> dict[str, Any]:
    """Return all that the bytes of the tables depend on: settings, begun scenarios, the code and what it stands on."""
    values = {name: value for name, value in asdict(settings).items() if name not in (*UNMEANT, "from_month")}
    for scenario in Scenario:
        sizes = values.pop(scenario.value, None)
        if sizes is not None and is_on(settings, scenario):
            month = np.datetime64(from_month(settings, scenario), "M")
            values[scenario.value] = sizes | {"from_month": str(month)}
    code = fingerprint_code("simulation/*.py", "credit/loan.py")[:16]
    versions = {"numpy": np.__version__, "pyarrow": pa.__version__, "code": code}
    plain = json.loads(json.dumps(values, default=lambda value: value.value))
    plain["scenarios"] = sorted(set(plain["scenarios"]) - {Scenario.none.value})
    return {"settings": plain, "versions": versions}


def _finished(folder: Path, fingerprint: str) -> dict[str, Any] | None:
    """Return the manifest of a simulation that was finished with these settings and still lies there."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        return None
    paths = (part_path(folder, name, part) for name in TABLES for part in range(manifest.get("parts", 0)))
    return manifest if manifest.get("fingerprint") == fingerprint and all(map(Path.exists, paths)) else None


def _clear(folder: Path, plan: Plan) -> None:
    """Remove what no part of the plan will write over, or tables of two simulations would lie in one folder."""
    for name in TABLES:
        planned = {part_path(folder, name, part) for part in range(plan.parts)}
        for path in set((folder / name).glob("part-*.parquet")) - planned:
            path.unlink()


def _spell(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat()


def _outcome(settings: SimulateSettings, folder: Path, manifest: dict[str, Any]) -> Outcome:
    counts, rows = manifest["counts"], manifest["rows"]
    rate = counts["approved"] / rows["applications"] if rows["applications"] else None
    summary = {name: manifest[name] for name in ("simulated", "fingerprint", "as_of", "rows", "counts")}
    result = {**summary, "approval_rate": rate, "scenarios": manifest["settings"]["scenarios"], "lake": str(folder)}
    step = f"thinfile prepare loan.as_of={result['as_of'][:10]}{_carried(settings, folder)}"
    return Outcome(result, summary=_summary(result, manifest["settings"]), next_steps=[step])


def _carried(settings: SimulateSettings, folder: Path) -> str:
    """Return what the next command needs to find the same simulated tables."""
    elsewhere = "" if settings.name == SimulateSettings.name else f" {override('raw.folder', str(folder))}"
    return carried(settings) + elsewhere


def _summary(result: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    rows, scenarios = result["rows"], result["scenarios"]
    begun = ", ".join(f"{name} from {settings[name]['from_month']}" for name in scenarios) or "none"
    lines = [f"a simulated marketplace up to {result['as_of'][:10]} (scenarios: {begun}); all data is simulated"]
    lines += [f"  {count:>12,} simulated {name}" for name, count in rows.items() if name != "truth"]
    if result["approval_rate"] is not None:
        lots = result["counts"]["random_approvals"]
        lines.append(f"  {result['approval_rate']:.1%} of applications approved, {lots:,} of them at random")
    return [
        *lines,
        f"  the true PD of each application: {Path(result['lake']) / 'truth'} (for grading only)",
        f"  simulated tables: {result['lake']}",
    ]
