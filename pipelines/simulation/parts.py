"""The files of a simulation: so many customers at a time, drawn at once, and each file there whole or not at all."""

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.marketplace.tables import APPROVED
from pipelines.simulation.delivery import delivered
from pipelines.simulation.draws import Draws
from pipelines.simulation.population import newcomers_of
from pipelines.simulation.story import draw_story
from pipelines.simulation.tables import TABLES, tables_of
from pipelines.simulation.world import World
from pipelines.storage.atomic_files import whole_file

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

    def path(self, table: str, part: int) -> Path:
        """Return where a part of a table lies."""
        return part_path(self.folder, table, part)


def part_path(folder: Path, table: str, part: int) -> Path:
    """Return where a part of a table lies below a folder."""
    return folder / table / f"part-{part:05d}.parquet"


def write_part(world: World, plan: Plan, part: int, target: Target) -> Counts:
    """Write one part unless it lies there already, and return the rows of its tables and what was decided."""
    if (found := counts_of_part(target, part)) is not None:
        return found
    tables = simulate_part(world, plan, part)
    counts = _counts(tables)
    for name in TABLES:
        _write(tables[name], target.path(name, part), target.fingerprint, counts)
    return counts


def simulate_part(world: World, plan: Plan, part: int) -> dict[str, pa.Table]:
    """Return the tables of one part."""
    story = draw_story(world, part, part * plan.per_part + 1, plan.size(part), _added(world, plan, part))
    return tables_of(story, delivered(world, story.visits, story.baskets, Draws(world.seed, part)), part)


def counts_of_part(target: Target, part: int) -> Counts | None:
    """Return the counts of a part that was made with the same settings, None unless all its files are there."""
    told: dict[bytes, bytes] = {}
    for name in TABLES:
        path = target.path(name, part)
        told = (pq.read_metadata(path).metadata or {}) if path.exists() else {}
        if told.get(FINGERPRINT) != target.fingerprint.encode():
            return None
    counts: Counts = json.loads(told[COUNTS])
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
