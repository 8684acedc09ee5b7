"""The default features: the same as those of a plain join, many times as fast, near linear up to 100 million orders."""

import sys
from pathlib import Path

import pandas as pd
import pyarrow.dataset as pds
import pytest

from tests.benchmarks.marketplaces import enlarge
from tests.evidence.commands import COMMAND, GIGABYTE, Cost, answer, cost_of
from tests.evidence.conftest import Evidence

pytestmark = pytest.mark.integration  # simulates markets and fits many models

LEAST_RATIO = 5


@pytest.fixture(scope="module")
def raw(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw tables of 500,000 simulated customers, about 10,000,000 orders and 1,000,000 applications; few by default."""
    folder = tmp_path_factory.mktemp("features")
    customers = 500_000 if request.config.getoption("--full") else 1_500
    answer("simulate", f"customers={customers}", f"workspace={folder}")
    enlarge(folder / "lake" / "simulated", folder / "raw", 1)
    return folder / "raw"


def test_the_features_are_those_of_a_plain_join_and_quicker(raw: Path, evidence: Evidence, tmp_path: Path) -> None:
    ours = _prepare(raw, tmp_path)
    file = tmp_path / "joined.parquet"
    opponent = ("-m", "tests.benchmarks.features_by_join", str(raw), str(file), str(tmp_path / "spilled"))
    theirs = cost_of(sys.executable, *opponent)
    found, expected = _ours(tmp_path), pd.read_parquet(file).set_index("application_id").sort_index()
    wrong = [name for name in expected if not _is_same(found[name], expected[name])]
    ratio = theirs.seconds / ours.seconds
    holds = not wrong and len(found) == len(expected) and (ratio >= LEAST_RATIO or not evidence.full)
    holds = holds and ours.peak < 4 * GIGABYTE
    evidence.record(
        "14-features-speed",
        claim=f"the default features of {len(found):,} applications over {_rows(raw, 'orders'):,} orders of "
        f"{_rows(raw, 'customers'):,} simulated customers: `thinfile prepare` whole (intake, features, labels, tables) "
        "against the plain DuckDB join with FILTER per window, in one run on 2 cores; every value of both alike",
        value=f"{ratio:.1f} times as fast ({ours.seconds:.0f} s against {theirs.seconds:.0f} s), "
        f"{ours.peak / GIGABYTE:.1f} GB over all processes, {len(expected.columns)} features, {len(wrong)} differ",
        bound="at least 5 times, under 4 GB, none differs",
        holds=holds,
    )
    assert not wrong
    assert holds


def test_the_time_grows_with_the_orders(raw: Path, evidence: Evidence, tmp_path: Path) -> None:
    if not evidence.full:
        pytest.skip("a hundred million orders take minutes; make evidence prepares them")
    simulated = raw.parent / "lake" / "simulated"
    answer("simulate", "customers=50000", f"workspace={tmp_path}")
    enlarge(tmp_path / "lake" / "simulated", tmp_path / "raw1", 1)
    enlarge(simulated, tmp_path / "raw100", 10)
    costs: dict[int, Cost] = {}
    for folder in (tmp_path / "raw1", raw, tmp_path / "raw100"):
        orders = _rows(folder, "orders")
        costs[orders] = _prepare(folder, tmp_path / f"{orders}")
    rates = {orders: orders / cost.seconds for orders, cost in costs.items()}
    largest = max(costs)
    holds = costs[largest].peak < 8 * GIGABYTE and rates[largest] > 0.7 * max(rates.values())
    evidence.record(
        "15-features-growth",
        claim="prepare from 1 to 10 to 100 million orders with a tenth as many applications, 2 cores",
        value="; ".join(
            f"{orders / 1e6:.0f} million in {cost.seconds:.0f} s ({rates[orders]:,.0f} orders/s, "
            f"{cost.peak / GIGABYTE:.1f} GB)"
            for orders, cost in costs.items()
        ),
        bound="near linear (the largest at no less than 0.7 of the best rate), under 8 GB",
        holds=holds,
    )
    assert holds


def _prepare(raw: Path, workspace: Path) -> Cost:
    return cost_of(*COMMAND, "prepare", f"raw.folder={raw}", "loan.as_of=2026-05-01", f"workspace={workspace}")


def _ours(workspace: Path) -> pd.DataFrame:
    applications = pds.dataset(workspace / "lake" / "marketplace" / "applications").to_table().to_pandas()
    return applications.set_index("application_id").sort_index()


def _rows(raw: Path, table: str) -> int:
    return int(pds.dataset(raw / table).count_rows())


def _is_same(found: pd.Series, expected: pd.Series) -> bool:
    """Whether two columns agree: text and missing values exactly, numbers to 1e-9, or 1e-12 of the column's scale."""
    if expected.dtype == object or isinstance(expected.dtype, pd.StringDtype):
        return bool((found.fillna("") == expected.fillna("")).all())
    found, expected = found.astype(float), expected.astype(float)
    difference, scale = (found - expected).abs(), expected.abs().max()
    is_close = difference <= 1e-9 * expected.abs() + 1e-12 * scale
    return bool(((found.isna() == expected.isna()) & (is_close | expected.isna())).all())
