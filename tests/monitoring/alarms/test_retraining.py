"""A retraining asks the question of the alarmed model again, of the newest mature data, and promotes nothing."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import thinfile
from monitoring.alarms import retraining
from monitoring.alarms.alarm import Alarm, alarm_of
from monitoring.alarms.retraining import note_on_data, open_retraining, start
from monitoring.alarms.settings import RetrainSettings
from pipelines.applications.settings import DataSettings, Source, SplitSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.settings import Range
from pipelines.credit.loan import DEFINITIONS, LoanContract
from pipelines.features.settings import FeatureSettings, What
from pipelines.marketplace.settings import PrepareSettings, RawSettings, TableMapping, TableMappings
from pipelines.policy.pack import PolicySettings
from pipelines.storage.json_values import to_json_values
from pipelines.storage.workspace import Workspace
from tests.monitoring.alarms.reports import report

HOSTILE = 'it\'s "${workspace}" # ünd {so}: [fort] 😀\n\\${x}'


@pytest.fixture
def composed(capsys: pytest.CaptureFixture[str]) -> Callable[[tuple[str, ...]], Any]:
    """The settings that a command runs with."""

    def compose(command: tuple[str, ...]) -> Any:
        assert command[0] == "thinfile"
        assert thinfile.main([*command[1:], "--cfg", "job", "--resolve"]) == 0
        return yaml.safe_load(capsys.readouterr().out)

    return compose


def alarm() -> Alarm:
    found = alarm_of(report())
    assert found is not None
    return found


def record(data: DataSettings) -> dict[str, Any]:
    """The record of a search, as a run keeps it."""
    from experiments.experiment.settings import TuneSettings

    settings = TuneSettings(
        data=data,
        candidate=ScorecardSettings(space={"max_bins": Range(2, 4)}),
        split=SplitSettings(cutoff="2025-01-01"),
        policy=PolicySettings(approve_from=600),
        trials=7,
        seed=3,
        workspace="elsewhere",
    )
    told = to_json_values(settings)
    told["candidate"]["family"] = "scorecard"
    return told


def given(found: dict[str, Any] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retraining, "_record_of", lambda *_: found)


def test_the_question_is_that_of_the_models_own_search(
    workspace: Workspace, composed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = DataSettings(
        Source.table, "/data/loans.csv", label="late", bad="yes", meanings={"a": HOSTILE}, numeric=["off", "1e3"]
    )
    told = record(data)
    given(told, monkeypatch)
    (tune,) = open_retraining(alarm(), workspace, RetrainSettings(tune=["trials=9"]), workspace.root / "retraining")
    found = composed(tune)
    assert found["data"] == told["data"]
    assert found["policy"] == told["policy"]
    assert found["candidate"].pop("space")["max_bins"] == {"low": 2, "high": 4, "log": False}
    assert found["candidate"] == {name: told["candidate"][name] for name in ("calibration", "parameters")}
    assert found["split"] == told["split"] | {"cutoff": None}
    assert (found["trials"], found["seed"], found["model"]) == (9, 3, "credit_score")
    assert found["workspace"] == str(workspace.root)


def test_the_retraining_of_a_search_over_families_searches_the_same_ones(
    workspace: Workspace, composed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = record(DataSettings(Source.table, "/data/loans.csv", label="late"))
    recorded["candidate"] = {"family": "auto", "calibration": "isotonic", "space": {}, "families": ["xgboost"]}
    given(recorded, monkeypatch)
    (tune,) = open_retraining(alarm(), workspace, RetrainSettings(), workspace.root / "retraining")
    assert composed(tune)["candidate"] == {"calibration": "isotonic", "space": {}, "families": ["xgboost"]}


def test_a_marketplace_is_prepared_anew_with_its_own_definition_of_bad(
    workspace: Workspace, composed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = workspace.lake / "shop"
    prepared = PrepareSettings(
        workspace="elsewhere",
        name="shop",
        raw=RawSettings(
            "elsewhere/lake/raw", tables=TableMappings(orders=TableMapping(columns={"ordered_at": "when"}))
        ),
        loan=LoanContract(DEFINITIONS["first_payment_default"], "2026-02-01", feature_lag_days=2),
        features=FeatureSettings([What.amount], [30], categories=["a", HOSTILE]),
    )
    (lake / "old").mkdir(parents=True)
    (lake / "manifest.json").write_text(json.dumps({"configuration": to_json_values(prepared)}))
    given(record(DataSettings(Source.marketplace, str(lake / "old" / "training"))), monkeypatch)
    folder = workspace.root / "retraining"
    prepare, tune = open_retraining(alarm(), workspace, RetrainSettings(prepare=["threads=1"]), folder)
    found, told = composed(prepare), to_json_values(prepared)
    assert found["loan"] == told["loan"] | {"as_of": "2026-11-01"}
    assert found["features"] == told["features"]
    assert found["raw"] == told["raw"] | {"folder": str(workspace.lake / "raw")}
    assert (found["name"], found["threads"]) == ("shop", 1)
    data = composed(tune)["data"]
    assert (data["source"], data["path"]) == ("marketplace", str(lake / "training"))
    assert data["ttd_population"] is None


def test_without_a_record_the_experiment_is_the_one_that_ships(
    workspace: Workspace, composed: Callable[..., Any]
) -> None:
    (tune,) = open_retraining(alarm(), workspace, RetrainSettings(tune=["data=german_credit"]), workspace.root)
    found = composed(tune)
    assert (found["trials"], found["data"]["source"]) == (60, "german_credit")
    assert found["candidate"]["families"] == []
    assert not workspace.root.exists()


def test_a_flat_table_that_needs_new_rows_is_named_with_its_date(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "loans.csv"
    table.write_text("id,bad\n1,0\n")
    os.utime(table, (0, 0))
    given(record(DataSettings(Source.table, str(table))), monkeypatch)
    note = note_on_data(alarm(), workspace, RetrainSettings())
    assert note.startswith(f"it reads '{table}', last changed on 1970-01-01: add the rows labelled since")
    assert note_on_data(alarm(), workspace, RetrainSettings(tune=["data.path=new.csv"])) == ""
    table.unlink()
    assert note_on_data(alarm(), workspace, RetrainSettings()).startswith(
        f"'{table}', the table of the model, is missing"
    )
    given(record(DataSettings(Source.marketplace)), monkeypatch)
    assert note_on_data(alarm(), workspace, RetrainSettings()) == ""


def test_started_commands_run_one_after_the_other_apart_from_this_process(tmp_path: Path) -> None:
    log = tmp_path / "a b" / "log"
    number = start([("json.tool", "--help"), ("no_such_module",), ("json.tool", "--help")], log)
    assert os.getsid(number) == number
    _, status = os.waitpid(number, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    assert log.read_text().count("usage:") == 1
    assert "No module named no_such_module" in log.read_text()


def test_no_command_promotes(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    given(record(DataSettings(Source.german_credit)), monkeypatch)
    commands = open_retraining(alarm(), workspace, RetrainSettings(), workspace.root)
    assert {command[1] for command in commands} <= {"prepare", "tune"}
