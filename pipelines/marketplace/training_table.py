"""From prepared buckets to the tables that people use: training, all applications, vintages."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.atomic import whole_file
from pipelines.credit.loan import LoanContract, Status
from pipelines.errors import DataError
from pipelines.marketplace.prepared import Recipe

TRAINING, APPLICATIONS, VINTAGES = "training.parquet", "applications.parquet", "vintages.parquet"


@dataclass(frozen=True)
class Counts:
    """How many applications have each status, how many mature ones were bad, and when the mature ones were made."""

    statuses: dict[str, int]
    bad: int
    first: str
    last: str


def assemble(recipe: Recipe, buckets: int) -> Counts:
    """Write the mature applications, all applications and the vintages; one bucket is in memory at a time.

    Raises:
        DataError: no application was made by the as-of date; none is mature; all mature ones ended alike.
    """
    parts = [recipe.applications(bucket) for bucket in range(buckets)]
    counts = _count(parts)
    _check(counts, recipe.loan)
    schema = pq.read_schema(parts[0])
    with ExitStack() as stack:
        training, everything = (
            stack.enter_context(pq.ParquetWriter(stack.enter_context(whole_file(recipe.lake / name)), schema))
            for name in (TRAINING, APPLICATIONS)
        )
        for part in parts:
            table = pq.read_table(part, partitioning=None)
            everything.write_table(table)
            training.write_table(table.filter(pc.equal(table["status"], Status.mature.name)))
    with whole_file(recipe.lake / VINTAGES) as temporary:
        pq.write_table(_vintages([recipe.vintages(bucket) for bucket in range(buckets)]), temporary)
    return counts


def _count(parts: Sequence[Path]) -> Counts:
    statuses: Counter[str] = Counter()
    bad, moments = 0, []
    for part in parts:
        table = pq.read_table(part, columns=["status", "bad", "applied_at"], partitioning=None)
        statuses.update({one["values"]: one["counts"] for one in pc.value_counts(table["status"]).to_pylist()})
        mature = table.filter(pc.equal(table["status"], Status.mature.name))
        bad += pc.sum(mature["bad"]).as_py() or 0
        moments += [moment for moment in pc.min_max(mature["applied_at"]).as_py().values() if moment is not None]
    first, last = (str(end(moments).date()) if moments else "" for end in (min, max))
    return Counts({status.name: statuses[status.name] for status in Status}, bad, first, last)


def _check(counts: Counts, loan: LoanContract) -> None:
    mature = counts.statuses[Status.mature.name]
    if not sum(counts.statuses.values()):
        raise DataError(
            f"loan.as_of must lie after the first application, received {loan.as_of} and found none made by then; "
            "raise loan.as_of or correct the times of the applications"
        )
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


def _vintages(parts: Sequence[Path]) -> pa.Table:
    """Return the vintages of all buckets: month, months on book, loans observed and bad, by month and age."""
    cells = pa.concat_tables([pq.read_table(part, partitioning=None) for part in parts])
    summed = cells.group_by(["month", "mob"]).aggregate([("observed", "sum"), ("bad", "sum")])
    named = summed.select(["month", "mob", "observed_sum", "bad_sum"]).rename_columns(cells.column_names)
    return named.sort_by([("month", "ascending"), ("mob", "ascending")])
