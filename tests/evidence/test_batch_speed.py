"""Batch scoring against its floor, the loop that most people write, and its own growth."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.ledger.champion import proven_champion
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace
from tests.benchmarks.batch_speed import request_of, seconds
from tests.benchmarks.batch_tables import CATEGORICAL, MILLION, crown, write_simulated
from tests.evidence.commands import COMMAND, GIGABYTE, cost_of
from tests.evidence.conftest import Evidence

ANCHOR = Path(__file__).resolve().parents[3] / "shared" / "anchors" / "batch_floor.py"
"""The opponent, unmodified; THINFILE_BATCH_FLOOR names it elsewhere."""

LEAST_SHARE = 0.6


@pytest.fixture(scope="module")
def champion(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with 500 trees, on simulated rows."""
    if not request.config.getoption("--full"):
        pytest.skip("a ratio of speeds is for a quiet machine; make evidence measures it")
    folder = tmp_path_factory.mktemp("batch")
    workspace = Workspace.at(str(folder / "workspace"))
    crown(workspace, folder / "model", trees=500)
    return workspace


def test_the_batch_against_its_floor(champion: Workspace, evidence: Evidence, tmp_path: Path) -> None:
    anchor = Path(os.environ.get("THINFILE_BATCH_FLOOR", ANCHOR))
    if not anchor.exists():
        pytest.skip("the opponent batch_floor.py is not there; name it in THINFILE_BATCH_FLOOR")
    rows = MILLION
    source = write_simulated(tmp_path / "rows.parquet", rows)
    store = ModelStore(champion)
    model = proven_champion(store, "credit_score")
    trees = next(store.download(model).rglob("model.cbm"))
    pyfunc = ("--pyfunc", f"models:/credit_score/{model.version}", "--tracking", store.url)
    theirs = _told(anchor, source, trees)
    loop = _told(anchor, _as_text(source), trees, *pyfunc)  # MLflow's signatures refuse coded text
    ours = statistics.median(seconds(request_of(champion, source), runs=5))
    shutil.rmtree(champion.score_log)
    whole = cost_of(*_command(champion, source))
    share, faster = theirs["floor"] / ours, loop["pyfunc_loop"] / ours
    holds = share >= LEAST_SHARE and faster > 1 and whole.peak < 1.5 * GIGABYTE
    evidence.record(
        "48-batch-speed",
        claim="1,000,000 simulated rows of 40 numbers and 8 categories, 500 trees, Parquet in, score log and profiles "
        "out, 2 processes already up, medians of 5 in one run: rows/s against the floor (decode with pyarrow, predict "
        "with the bare library on 2 threads), and against pandas, pyfunc and to_parquet",
        value=f"{share:.0%} of the floor ({rows / ours:,.0f} rows/s against {rows / theirs['floor']:,.0f}), "
        f"{faster:.1f} times the loop; the whole command {whole.seconds:.0f} s, {whole.peak / GIGABYTE:.2f} GB over "
        "all processes",
        bound="at least 60%, faster, under 1.5 GB",
        holds=holds,
    )
    print(f"\nfloor {theirs}, loop {loop}, ours {ours:.3f} s: {share:.0%}, loop {faster:.1f} times; {whole}")
    assert holds


def test_the_time_grows_with_the_rows_and_the_memory_does_not(
    champion: Workspace, evidence: Evidence, tmp_path: Path
) -> None:
    millions = (1, 10, 100)
    costs = {}
    for size in millions:
        folder = tmp_path / f"{size}"
        for part in range(size):
            write_simulated(folder / f"{part:03d}.parquet", MILLION, first=part * MILLION)
        shutil.rmtree(champion.score_log, ignore_errors=True)
        costs[size] = cost_of(*_command(champion, folder))
        shutil.rmtree(folder)
    told = "; ".join(
        f"{size} million in {cost.seconds:,.0f} s ({size * MILLION / cost.seconds:,.0f} rows/s), "
        f"{cost.peak / GIGABYTE:.2f} GB"
        for size, cost in costs.items()
    )
    least, most = costs[millions[1]], costs[millions[-1]]
    linear = most.seconds / least.seconds <= 1.3 * millions[-1] / millions[1]
    holds = linear and max(cost.peak for cost in costs.values()) < 1.5 * GIGABYTE
    evidence.record(
        "48-batch-growth",
        claim="the whole command on 1, 10 and 100 million simulated rows on 2 cores, with start-up: time, and the most "
        "memory over all processes",
        value=told,
        bound="100 million within 13 times the time of 10 million; under 1.5 GB",
        holds=holds,
    )
    print(f"\n{told}")
    assert holds


def _told(anchor: Path, source: Path, trees: Path, *more: str) -> dict[str, float]:
    words = [sys.executable, str(anchor), str(source), "--model", str(trees), *more]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _as_text(source: Path) -> Path:
    """Write the same rows with their levels as plain text."""
    table = pq.read_table(source)
    for name in CATEGORICAL:
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.string()))
    path = source.with_name("text.parquet")
    pq.write_table(table, path, store_schema=False)
    return path


def _command(workspace: Workspace, source: Path) -> tuple[str, ...]:
    words = ("score", "period=2026-10", "population=book", f"input={source}", f"workspace={workspace.root}")
    return (*COMMAND, *words, "data.id=application_id")
