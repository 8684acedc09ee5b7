"""The simulated demo cuts its months out of what was prepared, without their outcomes."""

from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import thinfile
from pipelines.applications.settings import DataSettings, Source
from pipelines.demo import marketplace
from pipelines.demo.loop import demo
from pipelines.demo.runner import Runner
from pipelines.demo.settings import DemoSettings
from pipelines.errors import ConfigurationError
from pipelines.storage.workspace import Workspace


def test_a_month_holds_all_who_asked_in_it_and_no_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(marketplace, "CUSTOMERS", 2_000)

    class InProcess(Runner):
        def run(self, verb: str, *overrides: str) -> int:
            return thinfile.main([verb, *overrides, f"workspace={tmp_path}"])

    settings = DemoSettings(workspace=str(tmp_path), data=DataSettings(source=Source.marketplace))
    story = marketplace.marketplace_data(settings, Workspace.at(str(tmp_path)), InProcess(settings))
    raw = pq.read_table(tmp_path / "lake" / "demo-simulated" / "applications")
    for period, file in story.files.items():
        month = pq.read_table(file)
        then = pc.equal(pc.strftime(raw["applied_at"], "%Y-%m"), period)
        assert month["application_id"].to_pylist() == sorted(raw.filter(then)["application_id"].to_pylist())
        assert not {"bad", "status", "outcome_known_at"} & set(month.column_names)
        assert len(month)
    assert "simulated" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "lake").glob("[!.]*")} == {"demo", "demo-simulated", "demo-marketplace"}
    assert story.model == "demo_marketplace"
    assert f"data.path={tmp_path}/lake/demo-marketplace/training" in story.data


def test_a_demo_of_an_unknown_table_is_refused(tmp_path: Path) -> None:
    settings: Any = DemoSettings(workspace=str(tmp_path), data=DataSettings(source=Source.table))
    with pytest.raises(
        ConfigurationError, match="data=table has no demo; choose data=german_credit or data=marketplace"
    ):
        demo(settings)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trials=0"], "trials must be at least 1, received 0"),
        (["seed=-1"], "seed must not be negative, received -1"),
        (["data=marketplace", "seed=-1"], "seed must not be negative, received -1"),
    ],
)
def test_a_demo_without_a_search_or_of_a_negative_seed_is_refused(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert thinfile.main(["demo", f"workspace={tmp_path}", *words]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
