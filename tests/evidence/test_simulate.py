"""The simulated marketplace at full size: quick, within memory, the same bytes whatever happens, and truly labelled."""

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.evidence.commands import COMMAND, GIGABYTE, answer, below, cost_of, killed, resident, seconds_of
from tests.evidence.conftest import Evidence
from tests.pipelines.simulation.lakes import DEFINITIONS, Lake, decile_misses, labelled

pytestmark = pytest.mark.integration  # simulates markets and fits many models


@pytest.fixture(scope="module")
def big(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The marketplace of the claims, made by the command, with its time and the memory of all its processes."""
    is_full = request.config.getoption("--full")
    size = ("customers=1000000",) if is_full else ("customers=12000", "customers_per_part=4000")
    workspace = tmp_path_factory.mktemp("big")
    cost = cost_of(*COMMAND, "simulate", *size, f"workspace={workspace}")
    lake = Lake(workspace / "lake" / "simulated")
    orders, customers = (int(lake.one(f"select count(*) from {name}")) for name in ("orders", "customers"))
    return {"seconds": cost.seconds, "peak": cost.peak, "lake": lake, "orders": orders, "customers": customers}


def test_a_million_customers_take_minutes_and_little_memory(big: dict[str, Any], evidence: Evidence) -> None:
    is_big = big["customers"] >= 1_000_000 and big["orders"] >= 0.99 * 20_000_000
    holds = big["seconds"] < 180 and big["peak"] < 4 * GIGABYTE and (is_big or not evidence.full)
    evidence.record(
        "10-simulate-speed",
        claim="simulate 1,000,000 customers and 20,000,000 orders on 2 cores",
        value=f"{big['seconds']:.0f} s, {big['peak'] / GIGABYTE:.1f} GB over all processes, "
        f"{big['customers']:,} customers, {big['orders']:,} orders",
        bound="under 180 s and 4 GB",
        holds=holds,
    )
    assert holds


def test_the_largest_customers_hold_thousands_of_orders_each(big: dict[str, Any], evidence: Evidence) -> None:
    largest = max(big["customers"] // 1_000, 1)
    by_customer = "select count(*) as n from orders group by customer_id"
    least = big["lake"].one(f"select min(n) from (from ({by_customer}) order by n desc limit {largest})")
    assert least > (2_000 if evidence.full else 1_000)


def test_realised_default_rates_follow_the_true_pd_decile_by_decile(big: dict[str, Any], evidence: Evidence) -> None:
    loans = {name: labelled(big["lake"], name, "2026-01-01") for name in DEFINITIONS}
    misses = {name: decile_misses(one["pd"].to_numpy(), one["bad"].to_numpy()) for name, one in loans.items()}
    told = ", ".join(f"{name} {10 - len(misses[name])} of 10 over {len(loans[name]):,} loans" for name in loans)
    holds = not any(misses.values())
    evidence.record(
        "12-simulate-truth",
        claim="realised default rates of the deciles of true PD lie within simultaneous 99.9% intervals "
        "(exact Poisson-binomial, Bonferroni over ten), per label definition, on loans with a mature label",
        value=told,
        bound="10 of 10 each",
        holds=holds,
    )
    assert holds, misses


def test_threads_and_kills_leave_the_same_bytes(evidence: Evidence, tmp_path: Path) -> None:
    size = (f"customers={evidence.size(full=200_000, reduced=4_000)}",)
    simulate = ("simulate", *size, f"customers_per_part={evidence.size(full=10_000, reduced=800)}")
    duration = seconds_of(*simulate, f"workspace={tmp_path / 'two'}", "threads=2")
    answer(*simulate, f"workspace={tmp_path / 'one'}", "threads=1")
    kills, moments = evidence.size(full=10, reduced=1), []
    generator = np.random.default_rng(11)
    while len(moments) < kills:
        moment = generator.uniform(duration / 3, duration)
        if killed(moment, *simulate, f"workspace={tmp_path / str(len(moments))}"):
            moments.append(moment)
            answer(*simulate, f"workspace={tmp_path / str(len(moments) - 1)}")
    expected = _files(tmp_path / "two")
    same = [_files(tmp_path / name) == expected for name in ("one", *map(str, range(kills)))]
    holds = all(same) and len(expected) >= 25
    evidence.record(
        "11-simulate-same-bytes",
        claim="simulate with one seed writes the same bytes with 1 and with 2 threads, and when it is killed "
        "(kill -9) at random moments and run again",
        value=f"{sum(same)} of {len(same)} runs, {len(expected)} files each ({size[0]}), killed {min(moments):.1f} s "
        f"to {max(moments):.1f} s into {duration:.1f} s",
        bound="all",
        holds=holds,
    )
    assert holds


def test_workers_end_with_the_command_that_started_them(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "simulate", "customers=2000000", "customers_per_part=2000", f"workspace={tmp_path}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        workers = _until(lambda: sorted(below(process.pid))[-2:] if any(tmp_path.rglob("part-*")) else [])
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(workers) == 2
    assert _until(lambda: not any(resident(worker) for worker in workers))


def _until(check: Any, seconds: float = 30.0) -> Any:
    """Return what a check finds, once it finds anything."""
    deadline = time.monotonic() + seconds
    while not (found := check()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _files(workspace: Path) -> dict[str, str]:
    return Lake(workspace / "lake" / "simulated").files()
