"""A study of a Delta table is replayed at its version, and a later version is named."""

from pathlib import Path

import pandas as pd
import pytest
from deltalake import DeltaTable, write_deltalake

from experiments.experiment.settings import TuneSettings
from experiments.replay.replay import replay
from experiments.replay.settings import MovedData, ReplaySettings
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, Source
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.command.verb import ExitCode
from pipelines.storage.workspace import Workspace


@pytest.mark.integration
def test_a_later_version_is_named_and_the_recorded_one_is_replayed(
    german_table: pd.DataFrame, workspace: Workspace, tmp_path: Path
) -> None:
    path = str(tmp_path / "credit")
    write_deltalake(path, german_table)
    data = DataSettings(source=Source.table, path=path, label="creditability", bad="bad")
    settings = TuneSettings(workspace=str(workspace.root), data=data, candidate=ScorecardSettings(), trials=1)
    run = str(tune(settings).result["run_id"])
    assert replay(ReplaySettings(workspace=str(workspace.root), run=run)).exit_code is ExitCode.DONE
    DeltaTable(path).delete("age_in_years < 21")
    later = replay(ReplaySettings(workspace=str(workspace.root), run=run))
    assert later.exit_code is ExitCode.ANSWER_IS_NO
    assert later.summary[1].startswith(f'  source {path}: "credit version 0.parquet ')
    assert ' -> "credit version 1.parquet ' in later.summary[1]
    moved = MovedData(path=f"{path}?version=0")
    assert replay(ReplaySettings(workspace=str(workspace.root), run=run, data=moved)).exit_code is ExitCode.DONE
