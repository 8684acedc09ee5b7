"""An application has one decision in a period, whatever version of the model is asked."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipelines.batch.score import score
from pipelines.credit.population import Population
from pipelines.model_store.store import ModelStore
from pipelines.score_log.columns import COLUMNS, SHADOW, Decisions, log_rows
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import PartitionFiles
from pipelines.storage.workspace import Workspace
from tests.pipelines.batch.conftest import Bench, applications, made, score_it, settings, written
from tests.pipelines.candidates.test_conformance import trained
from tests.pipelines.model_store.champions import crown, make_champion

pytestmark = pytest.mark.integration


@pytest.fixture
def versions(tmp_path: Path) -> Bench:
    """A workspace with a scorecard, version 1, the champion, and boosted trees, version 2."""
    bench = made(tmp_path, "scorecard")
    store = ModelStore(bench.workspace)
    make_champion(store, trained("hist_gradient_boosting"), tmp_path / "second")
    promote(bench.workspace, 1)
    return bench


def promote(workspace: Workspace, version: int) -> None:
    store = ModelStore(workspace)
    crown(store, store.version("credit_score", version))


def decisions(bench: Bench, period: str = "2026-10", population: Population = Population.applications) -> pd.DataFrame:
    """Return the decisions of a period by all versions."""
    log = bench.log
    keys = [LogKey("credit_score", version, population, period) for version in (1, 2)]
    return pd.concat([log.decisions(key) for key in keys], ignore_index=True)


def scored(bench: Bench, table: pd.DataFrame, path: Path, **changed: Any) -> dict[str, Any]:
    """Write a table in the form that the path names, and score it."""
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
        return score_it(bench, path=str(path), **changed)
    return score_it(bench, input=str(written(table, path)), **changed)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_a_month_scored_by_two_versions_has_one_decision_per_application(
    versions: Bench, tmp_path: Path, ending: str, share: float
) -> None:
    table = applications(600)
    first = table[np.random.default_rng(2).random(600) < share]
    if len(first):
        scored(versions, first, tmp_path / f"first.{ending}")
    before = decisions(versions)
    promote(versions.workspace, 2)
    answer = scored(versions, table, tmp_path / f"whole.{ending}")
    assert answer["version"] == 2
    assert (answer["rows_in"], answer["scored"], answer["decided_by_other_versions"], answer["already_logged"]) == (
        600,
        600 - len(first),
        len(first),
        0,
    )
    after = decisions(versions)
    assert sorted(after["application_id"]) == sorted(table["application_id"])
    pd.testing.assert_frame_equal(after[after["model_version"] == 1].reset_index(drop=True), before)
    assert set(after.loc[~after["application_id"].isin(first["application_id"]), "model_version"]) <= {2}


def test_a_rollback_in_the_month_decides_nobody_twice(versions: Bench, tmp_path: Path) -> None:
    table = applications(300)
    for version, rows in ((1, 100), (2, 200), (1, 300)):
        promote(versions.workspace, version)
        answer = scored(versions, table[:rows], tmp_path / f"{rows}.parquet")
        assert answer["scored"] == 100
    assert (answer["already_logged"], answer["decided_by_other_versions"]) == (100, 100)
    after = decisions(versions).set_index("application_id")["model_version"].sort_index()
    assert after.tolist() == [1] * 100 + [2] * 100 + [1] * 100


def test_the_summary_names_the_version_whose_decisions_stay(versions: Bench, tmp_path: Path) -> None:
    path = str(written(applications(50), tmp_path / "table.parquet"))
    score(settings(versions, input=path))
    promote(versions.workspace, 2)
    outcome = score(settings(versions, input=path))
    assert "  50 keep the decision that version 1 made for 2026-10" in outcome.summary
    (command,) = outcome.next_steps
    assert command.endswith(" version=1")  # the champion has no decision of the period


@pytest.mark.parametrize("population", list(Population))
def test_another_period_and_population_is_decided_by_the_new_version(
    versions: Bench, tmp_path: Path, population: Population
) -> None:
    path = written(applications(80), tmp_path / "table.parquet")
    score_it(versions, input=str(path))
    promote(versions.workspace, 2)
    period = "2026-11" if population is Population.applications else "2026-10"
    answer = score_it(versions, input=str(path), period=period, population=population)
    assert (answer["scored"], answer["decided_by_other_versions"]) == (80, 0)
    again = score_it(versions, input=str(path), period=period, population=population)
    assert (again["scored"], again["already_logged"]) == (0, 80)
    promote(versions.workspace, 1)
    other = score_it(versions, input=str(path), period=period, population=population)
    assert (other["scored"], other["decided_by_other_versions"]) == (0, 80)


def test_rows_without_an_id_are_decided_once(versions: Bench, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    applications(60).drop(columns="application_id").to_csv(path, index=False)
    score_it(versions, path=str(path), id=None)
    promote(versions.workspace, 2)
    answer = score_it(versions, path=str(path), id=None)
    assert (answer["scored"], answer["decided_by_other_versions"]) == (0, 60)


@pytest.mark.parametrize("version", [1, 2])
def test_the_score_of_a_shadow_is_no_decision(versions: Bench, tmp_path: Path, version: int) -> None:
    """Shadow scores that an earlier version of the log has among decisions neither count nor keep from deciding."""
    table = applications(40)
    key = LogKey("credit_score", version, Population.applications, "2026-10")
    values: dict[str, Any] = {column.name: None for column in COLUMNS}
    rows = Decisions(
        40,
        values | key.columns | {"role": SHADOW, "client": "own", "points": 500, "pd": 0.1, "raw_score": -2.0},
        {
            "application_id": pa.array(table["application_id"]),
            "decision_id": pa.array([f"{row:032x}" for row in range(40)]),
        },
    )
    nothing = pd.DataFrame(index=range(40))
    versions.log.write(key, "online-shadow", log_rows(rows), PartitionFiles(nothing, nothing))
    answer = scored(versions, table, tmp_path / "table.parquet")
    assert (answer["scored"], answer["decided_by_other_versions"], answer["already_logged"]) == (40, 0, 0)


def test_a_batch_that_another_version_left_open_is_finished_by_the_new_champion(
    versions: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_parts: None
) -> None:
    table, path = applications(600), tmp_path / "table.parquet"
    written(table, path)
    calls = iter(range(100))

    def dies_at_the_third(*_: object) -> None:
        if next(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.batch.part._keep_numbers", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        score_it(versions, input=str(path))
    monkeypatch.undo()
    begun = len(decisions(versions))
    assert 0 < begun < 600
    promote(versions.workspace, 2)
    answer = score_it(versions, input=str(path))
    assert (answer["scored"], answer["decided_by_other_versions"]) == (600 - begun, begun)
    assert decisions(versions)["application_id"].is_unique
