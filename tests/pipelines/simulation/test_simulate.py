"""The verb: what is asked wrongly is told, what is killed goes on, all of it says simulated."""

import json
from pathlib import Path
from typing import Any

import pytest

import thinfile
from pipelines.simulation.parts import Plan, Target, write_part
from pipelines.simulation.settings import Scenario, SimulateSettings
from pipelines.simulation.simulate import simulate
from pipelines.simulation.world import build_world
from tests.pipelines.simulation.lakes import make_lake

SMALL = {"customers": 900, "customers_per_part": 300}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["scenarios=[flood]"], "expected one of [none, mix_shift, data_fault"),
        (["scenarios=[none,mix_shift]"], "scenarios are mix_shift, none; leave out none"),
        (["from_month=2025-06"], "from_month needs a scenario, received 2025-06 with none; add scenarios="),
        (["scenarios=[mix_shift]", "from_month=2030-01"], "from_month must be one of the simulated months, received"),
        (
            ["scenarios=[fraud_ring]", "fraud_ring.from_month=2021-12"],
            "fraud_ring.from_month must be one of the simulated months, received '2021-12'; give one from 2022-01 to",
        ),
        (["scenarios=[mix_shift]", "from_month=june"], "from_month must be a month such as 2025-06, received 'june'"),
        (["start=2022-13"], "start must be a month such as 2025-06, received '2022-13'"),
        (["scenarios=[fraud_ring]", "fraud_ring.size=-1"], "fraud_ring.size is -1.0; use 0.001 to 1"),
        (["scenarios=[data_fault]", "data_fault.faults=[]"], "data_fault.faults must name a fault, received none"),
        (["customers=0"], "customers is 0; use 1 to"),
        (["random_approval_share=nan"], "random_approval_share is nan; use 0 to 1"),
        (["name=../elsewhere"], "name '../elsewhere' is not valid; use letters"),
        (["seed=-1"], "seed is -1; use 0"),
        (["months=0"], "months is 0; use 1 to 240"),
    ],
)
def test_a_wrong_request_gets_one_message_and_writes_nothing(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert thinfile.main(["simulate", *words]) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_another_seed_makes_another_marketplace(tmp_path: Path) -> None:
    one, other = (make_lake(tmp_path / str(seed), seed=seed, **SMALL) for seed in (0, 1))
    assert one.files().keys() == other.files().keys()
    assert not set(one.files().values()) & set(other.files().values())


def test_what_is_killed_goes_on_and_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    expected = make_lake(tmp_path / "undisturbed", **SMALL).files()
    # given a run that ended after its second part, in the middle of writing the third
    lake = make_lake(tmp_path / "killed", **SMALL)
    (lake.folder / "manifest.json").unlink()
    for name in ("instalments", "truth"):
        (lake.folder / name / "part-00002.parquet").unlink()
    made = {path: path.stat().st_mtime_ns for path in lake.folder.rglob("part-0000[01].parquet")}
    # when the same command is run again
    again = make_lake(tmp_path / "killed", **SMALL)
    assert again.files() == expected
    assert made == {path: path.stat().st_mtime_ns for path in made}
    assert len(made) == 10


def test_a_finished_simulation_is_only_told_again(tmp_path: Path) -> None:
    lake = make_lake(tmp_path, **SMALL)
    before = {path: path.stat().st_mtime_ns for path in lake.folder.rglob("*.*")}
    make_lake(tmp_path, threads=2, **SMALL)
    assert {path: path.stat().st_mtime_ns for path in lake.folder.rglob("*.*")} == before


def test_other_settings_leave_nothing_of_the_ones_before(tmp_path: Path) -> None:
    make_lake(tmp_path, customers=1_500, customers_per_part=300)
    lake = make_lake(tmp_path, seed=1, **SMALL)
    assert lake.files() == make_lake(tmp_path / "fresh", seed=1, **SMALL).files()
    assert json.loads((lake.folder / "manifest.json").read_text())["parts"] == 3


def test_a_part_of_other_settings_is_no_part_of_this_one(tmp_path: Path) -> None:
    world, plan = build_world(SimulateSettings()), Plan(300, 300)
    counts = write_part(world, plan, 0, Target(tmp_path, "one"))
    file = tmp_path / "orders" / "part-00000.parquet"
    made = file.stat().st_mtime_ns
    assert write_part(world, plan, 0, Target(tmp_path, "one")) == counts
    assert file.stat().st_mtime_ns == made
    write_part(world, plan, 0, Target(tmp_path, "another"))
    assert file.stat().st_mtime_ns > made


def test_the_manifest_says_what_was_made_and_with_what(tmp_path: Path) -> None:
    lake = make_lake(tmp_path, scenarios=[Scenario.fraud_ring], **SMALL)
    manifest: dict[str, Any] = json.loads((lake.folder / "manifest.json").read_text())
    assert manifest["simulated"] is True
    assert manifest["as_of"] == "2026-01-01T00:00:00"
    assert manifest["settings"]["fraud_ring"] == {"from_month": "2025-01", "size": 0.01}
    assert "economic_shock" not in manifest["settings"]
    for table, rows in manifest["rows"].items():
        assert rows == lake.one(f"select count(*) from {table}")
    assert manifest["counts"]["approved"] == lake.one("select count(*) from applications where decision = 'approved'")


def test_whatever_a_user_reads_says_that_it_is_simulated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert thinfile.main(["simulate", "customers=300", "threads=1", "name=small"]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0].startswith("a simulated marketplace up to 2026-01-01")
    assert all("simulat" in line for line in told.err.splitlines())
    assert f"thinfile prepare loan.as_of=2026-01-01 raw.folder={tmp_path / 'workspace/lake/small'}" in told.out


@pytest.mark.parametrize("months", [1, 5])
@pytest.mark.parametrize("customers", [1, 40])
def test_the_smallest_marketplaces_work(months: int, customers: int, tmp_path: Path) -> None:
    outcome = simulate(
        SimulateSettings(
            workspace=str(tmp_path), customers=customers, months=months, threads=1, scenarios=list(Scenario)[1:]
        )
    )
    rows = outcome.result["rows"]
    assert isinstance(rows, dict)
    assert rows["customers"] >= customers
    assert months > 1 or rows["applications"] == 0  # instalments are offered from the fourth month on
