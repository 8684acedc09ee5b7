"""Publishes prepared buckets as the training table, all applications and the vintages."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds

from pipelines.credit.loan import LoanContract, Status
from pipelines.errors import DataError
from pipelines.marketplace.prepared import Recipe, write_table
from pipelines.storage.atomic_files import scratch_folder

TRAINING, APPLICATIONS, VINTAGES = "training", "applications", "vintages.parquet"
"""Names in a marketplace's folder: two folders of Parquet files, and a file."""


@dataclass(frozen=True)
class Counts:
    """Applications by status, bad mature applications, and the first and last day of mature applications."""

    statuses: dict[str, int]
    bad: int
    first: str
    last: str


def publish(recipe: Recipe) -> Counts:
    """Link the folders `training` and `applications` to the prepared buckets, write the vintages, return the counts.

    Raises:
        DataError: no application is mature; all mature applications have the same outcome.
    """
    counts = _count(recipe)
    _check(counts, recipe.loan)
    write_table(_vintages(recipe), recipe.lake / VINTAGES)
    link(recipe.lake / APPLICATIONS, recipe.applications)
    link(recipe.lake / TRAINING, recipe.mature)
    return counts


def remove_earlier(recipe: Recipe, replaced: str | None) -> None:
    """Remove the buckets of earlier recipes, but keep the one just replaced: a process may still be reading it."""
    if replaced in (None, recipe.identity):
        return
    for folder in recipe.folder.parent.iterdir():
        if folder.name not in (recipe.identity, replaced):
            shutil.rmtree(folder, ignore_errors=True)


def link(name: Path, target: Path) -> None:
    """Make `name` a relative symbolic link to a folder, atomically replacing an earlier link."""
    with scratch_folder(name.parent) as scratch:
        fresh = scratch / name.name
        fresh.symlink_to(os.path.relpath(target, name.parent))
        fresh.replace(name)


def _count(recipe: Recipe) -> Counts:
    about = pds.dataset(recipe.applications, exclude_invalid_files=False).to_table(["status", "bad", "applied_at"])
    statuses = {one["values"]: one["counts"] for one in pc.value_counts(about["status"]).to_pylist()}
    mature = about.filter(pc.equal(about["status"], Status.mature.name))
    moments = pc.min_max(mature["applied_at"]).as_py()
    first, last = (str(moment.date()) if moment else "" for moment in moments.values())
    counts = {status.name: statuses.get(status.name, 0) for status in Status}
    return Counts(counts, pc.sum(mature["bad"]).as_py() or 0, first, last)


def _check(counts: Counts, loan: LoanContract) -> None:
    mature = counts.statuses[Status.mature.name]
    if not mature:
        listed = ", ".join(f"{count:,} {status}" for status, count in counts.statuses.items() if count)
        window = loan.bad.window.removesuffix(" on book")
        raise DataError(
            f"no loan is mature by loan.as_of={loan.as_of} ({listed}); a loan is mature {window} after its "
            "disbursement: raise loan.as_of or choose a shorter window such as loan=dpd30_at_3_mob"
        )
    if counts.bad in (0, mature):
        raise DataError(
            f"{counts.bad:,} of {mature:,} mature loans are bad, and training needs good and bad loans; check the "
            "payments of the instalments or choose another loan definition"
        )


def _vintages(recipe: Recipe) -> pa.Table:
    cells = pds.dataset(recipe.vintages).to_table()
    month, age, *_ = cells.column_names
    summed = cells.group_by([month, age]).aggregate([("observed", "sum"), ("bad", "sum")])
    named = summed.select([month, age, "observed_sum", "bad_sum"]).rename_columns(cells.column_names)
    return named.sort_by([(month, "ascending"), (age, "ascending")])
