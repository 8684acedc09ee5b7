"""The data of the demo on a simulated marketplace, with a known drift."""

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.dataset as pds
import pyarrow.parquet as pq

from pipelines.command.verb import override
from pipelines.demo.runner import Runner
from pipelines.demo.settings import DemoData, DemoSettings
from pipelines.marketplace.training_table import APPLICATIONS, TRAINING
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.workspace import Workspace

SIMULATED, PREPARED = "demo-simulated", "demo-marketplace"
"""Folders of the lake; those of the user are not changed."""

CUSTOMERS, MONTHS, AS_OF = 20_000, 45, "2025-10-01"
QUIET, SHIFTED = "2025-08", "2025-09"

OUTCOME = ("bad", "status", "outcome_known_at")

PERIODS = {
    QUIET: "the simulated marketplace goes on as before",
    SHIFTED: (
        "simulated: younger shoppers join and order through a new channel, and the payment method is no longer "
        "delivered: a known drift"
    ),
}


def marketplace_data(settings: DemoSettings, workspace: Workspace, runner: Runner) -> DemoData:
    """Simulate a marketplace, prepare it, and cut two months of its applications out as production periods."""
    scenarios = ("scenarios=[mix_shift,data_fault]", f"from_month={SHIFTED}")
    size = (f"customers={CUSTOMERS}", f"months={MONTHS}", f"seed={settings.seed}")
    raw, prepared = workspace.lake / SIMULATED, workspace.lake / PREPARED
    runner.run("simulate", f"name={SIMULATED}", *size, *scenarios)
    loan = (f"loan.as_of={AS_OF}", "loan=dpd30_at_3_mob")
    runner.run("prepare", f"name={PREPARED}", override("raw.folder", str(raw)), *loan, "features=short")
    folder = workspace.lake / "demo"
    files = {period: folder / f"simulated-{period}.parquet" for period in PERIODS}
    for period, file in files.items():
        _cut(prepared / APPLICATIONS, period, file)
    return DemoData(
        opening="Simulated shoppers, 30 days past due by month 3; production begins after the last mature loan:",
        model="demo_marketplace",
        data=("data=marketplace", override("data.path", str(prepared / TRAINING))),
        identity=(),
        periods=PERIODS,
        files=files,
        trials=4,
    )


def _cut(applications: Path, month: str, file: Path) -> None:
    """Write the applications of a month without their outcomes."""
    dataset = pds.dataset(applications)
    table = dataset.to_table([name for name in dataset.schema.names if name not in OUTCOME])
    rows = table.filter(pc.equal(pc.strftime(table["applied_at"], "%Y-%m"), month))
    with whole_file(file) as temporary:
        pq.write_table(rows.sort_by("application_id"), temporary)
