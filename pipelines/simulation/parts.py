"""The files of a simulation, part by part, in this process or in several; each file is there whole or not at all."""

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.errors import ThinfileError
from pipelines.marketplace.tables import APPROVED
from pipelines.simulation.baskets import UNKNOWN, Baskets
from pipelines.simulation.draws import Draws, Flags, Ints
from pipelines.simulation.period import NEVER
from pipelines.simulation.population import newcomers_of
from pipelines.simulation.settings import Fault
from pipelines.simulation.story import draw_story
from pipelines.simulation.tables import TABLES, tables_of
from pipelines.simulation.visits import Visits
from pipelines.simulation.world import World
from pipelines.storage.atomic_files import whole_file
from pipelines.storage.process import end_with_parent

MINOR_PER_MAJOR = 100

FINGERPRINT, COUNTS = b"thinfile.fingerprint", b"thinfile.counts"
"""Keys of a file's metadata: what it was made with, and how many applications its part has, approved and disbursed."""

Counts = dict[str, int]


@dataclass(frozen=True)
class Plan:
    """How `customers` are cut into parts."""

    customers: int
    per_part: int

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return -(-self.customers // self.per_part)

    def size(self, part: int) -> int:
        """Return the number of customers in a part."""
        return min(self.per_part, self.customers - part * self.per_part)


@dataclass(frozen=True)
class Target:
    """Where parts are written, and the fingerprint of what they are made with."""

    folder: Path
    fingerprint: str


def part_path(folder: Path, table: str, part: int) -> Path:
    """Return the path of a part of a table below a folder."""
    return folder / table / f"part-{part:05d}.parquet"


def write_parts(world: World, plan: Plan, target: Target, threads: int) -> Iterator[Counts]:
    """Write every part and yield the counts of each one as it is done, in no order.

    Raises:
        ThinfileError: a process was killed from outside, as happens when memory runs out.
    """
    if min(threads, plan.parts) == 1:
        yield from (write_part(world, plan, part, target) for part in range(plan.parts))
        return
    try:
        with _pool(min(threads, plan.parts)) as pool:
            jobs = [pool.submit(write_part, world, plan, part, target) for part in range(plan.parts)]
            for job in as_completed(jobs):
                yield job.result()
    except BrokenProcessPool:
        raise ThinfileError(
            f"one of {threads} worker processes was killed (out of memory?); run the same command with threads=1, "
            "finished parts are kept"
        ) from None


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    # Processes are started afresh: a fork would copy the locks of pyarrow's threads as they happen to be.
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def write_part(world: World, plan: Plan, part: int, target: Target) -> Counts:
    """Write one part unless it is there already, and return the rows of its tables and what was decided."""
    if (earlier := counts_of_part(target, part)) is not None:
        return earlier
    tables = simulate_part(world, plan, part)
    counts = _counts(tables)
    for name in TABLES:
        _write(tables[name], part_path(target.folder, name, part), target.fingerprint, counts)
    return counts


def simulate_part(world: World, plan: Plan, part: int) -> dict[str, pa.Table]:
    """Return the tables of one part."""
    story = draw_story(world, part, part * plan.per_part + 1, plan.size(part), _added(world, plan, part))
    return tables_of(story, delivered(world, story.visits, story.baskets, Draws(world.seed, part)), part)


def delivered(world: World, visits: Visits, baskets: Baskets, draws: Draws) -> Baskets:
    """Return the baskets as the lake has them at the end of the period."""
    delivery = replace(
        baskets,
        returned_at=_known(world, baskets.returned_at),
        cancelled_at=_known(world, baskets.cancelled_at),
        available_at=_known(world, baskets.available_at),
    )
    is_hit = (visits.at >= world.faults_from) & (draws.uniform("fault", len(visits)) < world.fault_share)
    for fault in world.faults:
        delivery = _with_fault(fault, delivery, is_hit)
    return delivery


def _known(world: World, at: Ints) -> Ints:
    return np.where(at < world.period.ends_at, at, NEVER)


def _with_fault(fault: Fault, baskets: Baskets, is_hit: Flags) -> Baskets:
    if fault is Fault.payment_method_missing:
        return replace(baskets, payment_method=np.where(is_hit, UNKNOWN, baskets.payment_method))
    return replace(baskets, amount=np.where(is_hit, baskets.amount // MINOR_PER_MAJOR, baskets.amount))


def counts_of_part(target: Target, part: int) -> Counts | None:
    """Return the counts of a part that was made with the same settings, None unless all its files are there."""
    metadata: dict[bytes, bytes] = {}
    for name in TABLES:
        path = part_path(target.folder, name, part)
        metadata = (pq.read_metadata(path).metadata or {}) if path.exists() else {}
        if metadata.get(FINGERPRINT) != target.fingerprint.encode():
            return None
    counts: Counts = json.loads(metadata[COUNTS])
    return counts


def _counts(tables: dict[str, pa.Table]) -> Counts:
    applications = tables["applications"]
    is_approved = pc.equal(applications["decision"].cast(pa.string()), APPROVED)
    return {name: table.num_rows for name, table in tables.items()} | {
        "approved": pc.sum(is_approved).as_py() or 0,
        "random_approvals": pc.sum(applications["is_random_approval"]).as_py() or 0,
        "disbursed": applications.num_rows - applications["disbursed_at"].null_count,
    }


def _write(table: pa.Table, path: Path, fingerprint: str, counts: Counts) -> None:
    text = [name for name in table.column_names if pa.types.is_dictionary(table.schema.field(name).type)]
    labelled = table.replace_schema_metadata({FINGERPRINT: fingerprint, COUNTS: json.dumps(counts)})
    with whole_file(path) as temporary:
        pq.write_table(labelled, temporary, compression="zstd", compression_level=1, use_dictionary=text)


def _added(world: World, plan: Plan, part: int) -> tuple[int, int]:
    """Return the first numbers of the newcomers and of the fraudsters of a part: they count on behind all customers."""
    first = plan.customers + 1
    newcomers, fraudsters = (newcomers_of(group, plan.per_part) for group in (world.mix_shift, world.fraud_ring))
    return first + part * newcomers, first + plan.parts * newcomers + part * fraudsters
