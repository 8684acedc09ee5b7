"""Random tables with every kind of column, nasty ones included, and the counts of a plain NumPy oracle."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.dimensions import Dimension
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.reference_profile import SCORE
from pipelines.profiles.roles import TableRoles
from pipelines.profiles.score_counts import ScoreCounts

ROLES = TableRoles(
    "score",
    pd="default",
    segments=(Dimension("region"), Dimension("nasty double", (0.5, 2.0))),
    band="band",
    decision="decision",
    categorical=("code",),
    ignored=("id",),
)
Random = np.random.Generator
MANY = 10_000


def random_table(generator: Random, rows: int) -> pa.Table:
    """Return a table of so many rows; its columns move from one call to the next."""
    made = {name: make(generator, rows) for name, make in COLUMNS.items()}
    return pa.table({**made, "id": pa.array([f"a{row}" for row in range(rows)])})


def _numbers(kind: pa.DataType, draw: Callable[[Random, int], Any]) -> Callable[[Random, int], pa.Array]:
    def make(generator: Random, rows: int) -> pa.Array:
        found = pa.array(draw(generator, rows), kind, from_pandas=False)
        missing = generator.random(rows) < generator.choice([0, 0.1, 1], p=[0.6, 0.3, 0.1])
        return pa.array([None if gone else value for value, gone in zip(found, missing, strict=True)], kind)

    return make


def _shifted(generator: Random, rows: int) -> Any:
    return generator.lognormal(generator.normal(), size=rows)


def _nasty(generator: Random, rows: int) -> Any:
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, 1.7e308, 0.1, 1.0]
    return np.where(generator.random(rows) < 0.5, generator.choice(special, rows), generator.normal(size=rows))


def _decimals(digits: int, scale: int) -> Callable[[Random, int], pa.Array]:
    def draw(generator: Random, rows: int) -> list[Decimal]:
        signs, cells = generator.choice([-1, 1], rows), generator.integers(0, 10, (rows, digits))
        return [Decimal((int(sign < 0), tuple(map(int, one)), -scale)) for sign, one in zip(signs, cells, strict=True)]

    return _numbers(pa.decimal128(digits, scale), draw)


def _texts(names: Sequence[str]) -> Callable[[Random, int], pa.Array]:
    def make(generator: Random, rows: int) -> pa.Array:
        drawn = generator.choice([*names, None], rows)
        return pa.array(drawn.tolist(), pa.string())

    return make


COLUMNS: Mapping[str, Callable[[Random, int], Any]] = {
    "score": _numbers(pa.int32(), lambda g, n: g.normal(600, 50, n).astype(np.int32)),
    "default": lambda g, n: pa.array(g.random(n)),
    "single": _numbers(pa.float32(), lambda g, n: _shifted(g, n).astype(np.float32)),
    "double": _numbers(pa.float64(), _shifted),
    "nasty single": _numbers(pa.float32(), lambda g, n: np.clip(_nasty(g, n), -3e38, 3e38).astype(np.float32)),
    "nasty double": _numbers(pa.float64(), _nasty),
    "half": _numbers(pa.float16(), lambda g, n: g.normal(size=n).astype(np.float16)),
    "large": _numbers(pa.int64(), lambda g, n: 2**62 + g.integers(0, 5000, n)),
    "larger": _numbers(pa.uint64(), lambda g, n: (2**63 + g.integers(0, 5000, n).astype(np.uint64)).astype(np.uint64)),
    "small": _numbers(pa.int8(), lambda g, n: g.integers(-3, 3, n)),
    "flag": _numbers(pa.bool_(), lambda g, n: g.random(n) < 0.3),
    "amount": _decimals(9, 2),
    "money": _decimals(15, 4),
    "long money": _decimals(18, 2),
    "longest": _decimals(38, 10),
    "constant": _numbers(pa.float64(), lambda _, n: np.full(n, 7.0)),
    "outlier": _numbers(pa.float64(), lambda g, n: np.where(np.arange(n) == n // 2, 1e9, g.integers(0, 3, n))),
    "all missing": lambda _, n: pa.array([None] * n, pa.float64()),
    "nothing": lambda _, n: pa.nulls(n),
    "few": _texts(["a", "b", "it's", 'q"uote', "", "é"]),
    "many": lambda g, n: pa.array([f"level {one}" for one in g.integers(0, MANY, n)], pa.string()),
    "large text": lambda g, n: pa.array(g.choice(["x", "y"], n).tolist(), pa.large_string()),
    "coded": lambda g, n: _texts([f"l{place}" for place in range(30)])(g, n).dictionary_encode(),
    "code": _numbers(pa.int16(), lambda g, n: g.integers(0, 5, n)),
    "region": _texts(["north", "south", "east"]),
    "band": _texts(["A", "B"]),
    "decision": _texts(["approved", "declined"]),
}


def write(table: pa.Table, folder: Path, generator: Random, files: int = 3) -> pa.Table:
    """Write a table as some files, with row groups of any size, and return it as written.

    One file lacks a column, another holds numbers in more bits than the others; the folders are a column too.
    """
    cuts = sorted(generator.integers(0, len(table) + 1, files - 1).tolist())
    gone = str(generator.choice(["double", "amount", "few", "coded", "flag", "decision"]))
    written = []
    for place, (low, high) in enumerate(zip([0, *cuts], [*cuts, len(table)], strict=True)):
        part = table.slice(low, high - low)
        if place == 0:
            part = part.drop_columns([gone])
        if place == 1:
            part = part.set_column(part.column_names.index("single"), "single", part["single"].cast(pa.float64()))
        path = folder / f"month={place % 2}" / f"{place}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(part, path, row_group_size=int(generator.integers(1, len(table) + 2)))
        written.append(part.append_column("month", pa.array([str(place % 2)] * len(part), pa.string())))
    return pa.concat_tables(written, promote_options="permissive")


def oracle(table: pa.Table, bins: Iterable[FrozenBins], roles: TableRoles = ROLES) -> Tally:
    """Return the counts of a table, one value after the other."""
    columns = {}
    for one in bins:
        name = roles.score if one.column == SCORE else one.column
        values = table[name].to_pylist() if name in table.column_names else [None] * len(table)
        columns[one.column] = _numbers_by_bin(values, one) if one.edges is not None else _levels_by_bin(values, one)
    named = [
        Counter(value for value in (table[name].to_pylist() if name else []) if value is not None)
        for name in (roles.band, roles.decision)
    ]
    return Tally(len(table), columns, *named, scores=_scores(table, roles))


def _scores(table: pa.Table, roles: TableRoles) -> ScoreCounts:
    found: dict[int, list[float]] = {}
    defaults = table[roles.pd].to_pylist() if roles.pd else [np.nan] * len(table)
    for points, default in zip(table[roles.score].to_pylist(), defaults, strict=True):
        if points is not None:
            found.setdefault(points, []).append(default)
    ordered = sorted(found)
    rows, sums = [len(found[points]) for points in ordered], [sum(found[points]) for points in ordered]
    return ScoreCounts(np.array(ordered, dtype=np.int64), np.array(rows, dtype=np.int64), np.array(sums))


def _numbers_by_bin(values: Sequence[Any], bins: FrozenBins) -> np.ndarray:
    assert bins.edges is not None
    counts = np.zeros(len(bins.labels), dtype=np.int64)
    for number in (np.nan if value is None else float(value) for value in values):
        if np.isnan(number):
            counts[0] += 1
        elif number < bins.lowest:
            counts[1] += 1
        elif number > bins.highest:
            counts[-1] += 1
        else:
            counts[2 + sum(edge < number for edge in bins.edges)] += 1
    return counts


def _levels_by_bin(values: Sequence[Any], bins: FrozenBins) -> np.ndarray:
    counts = np.zeros(len(bins.labels), dtype=np.int64)
    for value in values:
        text = None if value is None else str(value)
        if text is None:
            counts[0] += 1
        elif text in bins.levels:
            counts[1 + bins.levels.index(text)] += 1
        else:
            counts[-2 if text in bins.rare else -1] += 1
    return counts
