"""The demo closes the loop, and its report opens in a browser without a network."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import open_page
from tests.evidence.commands import answer, runs_of
from tests.evidence.conftest import Evidence
from tests.real_parts import needs_chromium

pytestmark = pytest.mark.integration  # whole commands, run again and again


@pytest.fixture(scope="module")
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    workspace = tmp_path_factory.mktemp("demo")
    trials = [] if request.config.getoption("--full") else ["trials=2"]
    start = time.perf_counter()
    told = answer("demo", f"workspace={workspace}", *trials)
    return told | {"seconds": time.perf_counter() - start, "workspace": workspace}


def test_the_demo_shows_a_quiet_month_and_one_to_act_on(demo: dict[str, Any], evidence: Evidence) -> None:
    verdicts = {period: told["verdict"] for period, told in demo["periods"].items()}
    holds = verdicts == {"2026-01": "stable", "2026-02": "act"} and demo["seconds"] < 180
    evidence.record(
        "01-demo",
        claim="make demo after installation: tune, promote, compare, score and watch, with the verdicts stable and act",
        value=f"{demo['seconds']:.0f} s, {' and '.join(verdicts.values())}",
        bound="under 180 s",
        holds=holds,
    )
    assert holds


def test_the_demo_leaves_nothing_running_and_nothing_outside_its_workspace(demo: dict[str, Any]) -> None:
    assert {status for _, status in runs_of(demo["workspace"])} == {"FINISHED"}
    assert not any(demo["workspace"].glob(".*"))
    assert [step["exit_code"] for step in demo["steps"]][:2] == [0, 0]


@needs_chromium
def test_the_report_opens_in_a_browser_with_the_network_off(demo: dict[str, Any], evidence: Evidence) -> None:
    page = open_page(Path(demo["periods"]["2026-02"]["report"]))
    plots = page.dom.count("<figure")
    holds = "ACT" in page.text and plots >= 18 and not page.console and not page.requests
    evidence.record(
        "08-report",
        claim="the demo's report in headless Chromium with the network off: verdict and plots, no console error, "
        "no request",
        value=f"{plots} drawings, {len(page.console)} console messages, {len(page.requests)} requests",
        bound="at least one drawing per column, 0, 0",
        holds=holds,
    )
    assert holds


def test_the_simulated_marketplace_closes_the_loop_too(evidence: Evidence, tmp_path: Path) -> None:
    if not evidence.full:
        pytest.skip("the loop is the same as on the German data; make evidence runs it on the simulated marketplace")
    start = time.perf_counter()
    told = answer("demo", "data=marketplace", f"workspace={tmp_path}")
    seconds = time.perf_counter() - start
    verdicts = [one["verdict"] for one in told["periods"].values()]
    holds = verdicts == ["stable", "act"] and seconds < 180
    evidence.record(
        "21-demo-marketplace",
        claim="demo data=marketplace: simulate, prepare, tune, promote, compare, score and watch, with the verdicts "
        "stable and act",
        value=f"{seconds:.0f} s, {' and '.join(verdicts)}",
        bound="under 180 s",
        holds=holds,
    )
    assert holds
