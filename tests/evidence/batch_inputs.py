"""Workspaces with a small champion of each family, and tables that are hard on whoever scores them."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.pipelines.batch.conftest import Bench
from tests.pipelines.candidates.test_conformance import CATEGORICAL, NUMERIC, a_table

EXTREME = (1e300, -1e300, 3.5e38, -3.5e38, 5e-324, -0.0, 0.1, 1e-40, 123456789.123)
"""Numbers that single precision holds otherwise, or not at all."""

STRANGE = ("", "new", "(missing)", "other", "missing", "数据", "a\nb", "x" * 500, "nan", "None")
"""Levels that no model has learnt, or that are taken for something else."""


def nasty_rows(rows: int, seed: int) -> pd.DataFrame:
    """Return random applications, a third of their values missing, extreme, or levels never seen."""
    generator = np.random.default_rng(seed)
    table = a_table(rows, seed)[0].astype(dict.fromkeys(CATEGORICAL, object))
    for name in (*NUMERIC, *CATEGORICAL):
        strange = np.array(EXTREME if name in NUMERIC else STRANGE, dtype=object)
        drawn, chosen = generator.random(rows), generator.choice(strange, rows)
        table[name] = table[name].astype(object).where(drawn > 0.3, chosen).where(drawn > 0.1, None)
    for name in NUMERIC:
        table[name] = table[name].astype(float)
    return table.assign(application_id=[f"a{row:07d}" for row in range(rows)])


def plain_parts(path: Path, groups: int, rows: int, *, repeated: int = 0, prefix: str = "a") -> Path:
    """Write a table of row groups of so many rows; some ids of the first group occur in the last one again."""
    base = a_table(rows, seed=2)[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.Table.from_pandas(base.assign(application_id="a"), preserve_index=False).schema
    with pq.ParquetWriter(path, schema) as writer:
        for group in range(groups):
            ids = [f"{prefix}{group * rows + row:09d}" for row in range(rows)]
            if group == groups - 1:
                ids[:repeated] = [f"{prefix}{row:09d}" for row in range(repeated)]
            moved = base.assign(income=base["income"] + group / 100, application_id=ids)
            writer.write_table(pa.Table.from_pandas(moved, schema=schema, preserve_index=False))
    return path


def content(bench: Bench) -> dict[str, str]:
    """Return the SHA-256 of every file of a score log, locks left out."""
    root = bench.workspace.score_log
    files = (path for path in root.rglob("*") if path.is_file() and "locks" not in path.parts)
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


def reopen(bench: Bench, opened: dict[str, str]) -> None:
    """Empty a score log as if its batch had just been opened, at the moment at which it was opened before."""
    shutil.rmtree(bench.workspace.score_log)
    shutil.rmtree(bench.workspace.quarantine, ignore_errors=True)
    for name, text in opened.items():
        path = bench.workspace.score_log / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
