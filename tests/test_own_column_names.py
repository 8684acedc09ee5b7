"""Features may have the names of Thinfile's own columns: what a table's columns are called changes no figure."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.experiment.settings import TuneSettings
from experiments.promotion.promote import promote
from experiments.promotion.settings import PromoteSettings
from experiments.replay.replay import replay
from experiments.replay.settings import ReplaySettings
from experiments.search.tune import tune
from monitoring.watch.external_tables import watch_external_tables
from monitoring.watch.settings import TableSettings, WatchSettings
from monitoring.watch.watch import watch
from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.score import score
from pipelines.batch.settings import ScoreSettings
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.credit.population import Population
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.workspace import Workspace

OURS = (
    "points", "band", "decision", "decision_id", "pd", "application_id", "model", "model_version",
    "period", "population", "segment", "segments", "reason", "score", "role", "client", "raw_score", "points (feature)",
)  # fmt: skip


def a_table(names: list[str], rows: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    """Return applications: the odd columns are texts, the even ones numbers; the first decides the outcome."""
    draw = np.random.default_rng(seed)
    columns: dict[str, Any] = {"identity": [f"{seed}-{row}" for row in range(rows)]}
    for place, name in enumerate(names):
        columns[name] = draw.choice(["a", "b", "c"], rows) if place % 2 else draw.normal(size=rows)
    columns[names[0]] = columns[names[0]] + shift
    chance = 1 / (1 + np.exp(1 - 1.5 * columns[names[0]] - (columns[names[1]] == "a")))
    return pd.DataFrame(columns | {"outcome": (draw.random(rows) < chance).astype(int)})


def the_loop(folder: Path, names: list[str]) -> tuple[pd.DataFrame, dict[str, Any], dict[str, Any]]:
    """Tune, promote, score and watch a table; return its decisions, the report and a replay of the first decision."""
    folder.mkdir()
    a_table(names, 900, seed=1).to_parquet(folder / "development.parquet")
    a_table(names, 300, seed=2, shift=1.0).to_parquet(folder / "now.parquet")
    where = {"workspace": str(folder / "workspace")}
    data = DataSettings(source=Source.table, path=str(folder / "development.parquet"), label="outcome", id="identity")
    tune(TuneSettings(data=data, candidate=ScorecardSettings(), trials=1, **where))
    assert promote(PromoteSettings(**where)).exit_code == 0
    now = DataSettings(source=Source.table, path=str(folder / "now.parquet"), id="identity")
    score(ScoreSettings(data=now, period="2026-10", **where))
    watch(WatchSettings(period="2026-10", today="2026-12-01", **where))
    report = report_in(folder / "workspace")
    key = LogKey("credit_score", 1, Population.applications, "2026-10")
    decisions = ScoreLog(Workspace.at(where["workspace"])).decisions(key).sort_values("application_id")
    first = decisions["decision_id"].iloc[0]
    return decisions, report, dict(replay(ReplaySettings(decision=first, **where)).result)


@pytest.mark.integration
def test_names_of_our_own_columns_change_no_figure(tmp_path: Path) -> None:
    plain = [f"x{place}" for place in range(len(OURS))]
    decisions, report, replayed = the_loop(tmp_path / "ours", list(OURS))
    expected, expected_report, _ = the_loop(tmp_path / "plain", plain)
    np.testing.assert_allclose(decisions["pd"].to_numpy(), expected["pd"].to_numpy(), rtol=0, atol=1e-12)
    assert decisions["points"].tolist() == expected["points"].tolist()
    assert replayed["identical"]
    assert report["verdict"] == expected_report["verdict"]
    assert len(report["moves"]) == len(expected_report["moves"])


@pytest.mark.parametrize("name", ["band", "decision", "points (feature)"])
def test_tables_scored_elsewhere_may_have_them_too(tmp_path: Path, name: str) -> None:
    for column in (name, "x"):
        for seed, when in enumerate(("before", "now")):
            table = a_table([column, "other"], 2_000, seed=seed, shift=float(when == "now"))
            table.assign(points=600).to_parquet(tmp_path / f"{when} {column}.parquet")
    moved = [watch_tables(tmp_path, column) for column in (name, "x")]
    assert moved[0] == moved[1] > 0


def watch_tables(folder: Path, column: str) -> int:
    """Return how many columns are at act level."""
    settings = WatchSettings(
        period="2026-10",
        today="2026-12-01",
        input=str(folder / f"now {column}.parquet"),
        reference_input=str(folder / f"before {column}.parquet"),
        table=TableSettings(ignored=["identity", "outcome"]),
        workspace=str(folder / f"workspace {column}"),
    )
    watch_external_tables(settings)
    return sum(move["level"] == "act" for move in report_in(Path(settings.workspace))["moves"])


def report_in(workspace: Path) -> dict[str, Any]:
    """Return the only report of a workspace."""
    (path,) = (workspace / "reports").rglob("report.json")
    report: dict[str, Any] = json.loads(path.read_text())
    return report
