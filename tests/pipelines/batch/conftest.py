"""A workspace with a small champion of one family, a table for it, and the verb that scores it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.score import score
from pipelines.batch.settings import ScoreSettings
from pipelines.credit.points import PointsScale, points
from pipelines.credit.population import Population
from pipelines.model_store.predictor import Predictor, load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage import parquet_parts as parts
from pipelines.storage.workspace import Workspace
from tests.pipelines.candidates.test_conformance import CATEGORICAL, NUMERIC, a_table, trained
from tests.pipelines.model_store.champions import attach_profile, make_champion


@dataclass(frozen=True)
class Bench:
    """A workspace with a champion, and what it should answer."""

    workspace: Workspace
    predictor: Predictor
    reference: ReferenceProfile

    @property
    def log(self) -> ScoreLog:
        return ScoreLog(self.workspace)

    def key(self, period: str = "2026-10", population: Population = Population.applications) -> LogKey:
        return LogKey("credit_score", 1, population, period)


def made(folder: Path, family: str) -> Bench:
    """Return a workspace whose champion is of a family."""
    workspace = Workspace.at(str(folder / "workspace"))
    store, model = ModelStore(workspace), trained(family)
    champion = make_champion(store, model, folder / "model")
    predictor = load_predictor(store, champion)
    table = a_table(3000, seed=5)[0]
    probability = predictor.probability_of_bad(table)
    scored, features = points(probability, PointsScale()), table[[*NUMERIC, *CATEGORICAL]]
    reference = profile_of(scored, probability, features, NUMERIC, Population.applications)
    attach_profile(store, champion, reference)
    return Bench(workspace, predictor, reference)


@pytest.fixture(scope="session")
def scorecard(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return made(tmp_path_factory.mktemp("batch"), "scorecard")


@pytest.fixture
def bench(scorecard: Bench) -> Bench:
    """The workspace of the scorecard as if nothing had been scored."""
    shutil.rmtree(scorecard.workspace.score_log, ignore_errors=True)
    shutil.rmtree(scorecard.workspace.quarantine, ignore_errors=True)
    return scorecard


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of about a hundred rows instead of a hundred thousand."""
    monkeypatch.setattr(parts, "LEAST_ROWS", 100)
    monkeypatch.setattr(parts, "MOST_ROWS", 250)


def applications(rows: int = 1000, seed: int = 1) -> pd.DataFrame:
    """Return applications with ids, customers, a segment and a protected attribute."""
    table = a_table(rows, seed)[0]
    return table.assign(
        application_id=[f"a{row:05d}" for row in range(rows)],
        customer_id=[f"c{row % 7}" for row in range(rows)],
        region=np.where(np.arange(rows) % 10 == 0, None, np.where(np.arange(rows) % 3 == 0, "north", "south")),
        sex=np.where(np.arange(rows) % 2 == 0, "f", "m"),
    )


def written(table: pd.DataFrame, path: Path, group: int = 100) -> Path:
    """Write a table as Parquet in row groups of some rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), path, row_group_size=group)
    return path


def settings(bench: Bench, **changed: Any) -> ScoreSettings:
    """Return settings for a table in one process, without roles but the id."""
    told = {name: changed.pop(name) for name in list(changed) if name in vars(DataSettings(source=Source.table))}
    data = DataSettings(**({"source": Source.table, "id": "application_id"} | told))
    usual: dict[str, Any] = {"workspace": str(bench.workspace.root), "data": data, "period": "2026-10", "threads": 1}
    return ScoreSettings(**(usual | changed))


def score_it(bench: Bench, **changed: Any) -> dict[str, Any]:
    """Score and return the answer."""
    return dict(score(settings(bench, **changed)).result)


Scored = Callable[..., dict[str, Any]]
