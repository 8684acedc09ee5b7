"""What people use of prepared buckets: the training table, all applications, vintages."""

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
"""What a marketplace's folder offers: two folders of Parquet files, and a file."""


@dataclass(frozen=True)
class Counts:
    """How many applications have each status, how many mature ones were bad, and when the mature ones were made."""

    statuses: dict[str, int]
    bad: int
    first: str
    last: str


def offer(recipe: Recipe) -> Counts:
    """Point the folders `training` and `applications` to what was made, write the vintages, and return the counts.

    Raises:
        DataError: no application is mature; all mature ones ended alike.
    """
    counts = _count(recipe)
    _check(counts, recipe.loan)
    write_table(_vintages(recipe), recipe.lake / VINTAGES)
    point(recipe.lake / APPLICATIONS, recipe.applications)
    point(recipe.lake / TRAINING, recipe.mature)
    return counts


def remove_earlier(recipe: Recipe, replaced: str | None) -> None:
    """Remove what was made under earlier recipes, but for the one just replaced: somebody may still be reading it."""
    if replaced in (None, recipe.identity):
        return
    for folder in recipe.folder.parent.iterdir():
        if folder.name not in (recipe.identity, replaced):
            shutil.rmtree(folder, ignore_errors=True)


def point(name: Path, target: Path) -> None:
    """Make a name lead to a folder, at once and whatever it led to before; the lake can still be moved."""
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
        told = ", ".join(f"{count:,} {status}" for status, count in counts.statuses.items() if count)
        raise DataError(
            f"a loan is mature {loan.bad.window_months} months after its disbursement, by "
            f"{loan.as_of} none is ({told}); "
            "raise loan.as_of or choose an earlier definition such as loan=dpd30_at_3_mob"
        )
    if counts.bad in (0, mature):
        raise DataError(
            f"learning needs good and bad loans, {counts.bad:,} of {mature:,} mature ones are bad; "
            "check the instalments' payments or choose another loan definition"
        )


def _vintages(recipe: Recipe) -> pa.Table:
    """Return the vintages of all buckets: month, months on book, loans observed and bad, by month and age."""
    cells = pds.dataset(recipe.vintages).to_table()
    summed = cells.group_by(["month", "mob"]).aggregate([("observed", "sum"), ("bad", "sum")])
    named = summed.select(["month", "mob", "observed_sum", "bad_sum"]).rename_columns(cells.column_names)
    return named.sort_by([("month", "ascending"), ("mob", "ascending")])
