"""A segment is added by configuration alone: batch, service, counts, score log and report all have it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from monitoring.watch.settings import WatchSettings
from monitoring.watch.watch import report_of
from pipelines.applications.settings import DataSettings, SegmentSettings, Source
from pipelines.batch.score import score
from pipelines.batch.settings import ScoreSettings
from pipelines.credit.points import PointsScale, points
from pipelines.credit.population import Population
from pipelines.ledger.champion import proven_champion
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.profile import profile_path
from pipelines.model_store.store import ModelStore
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.serving.metrics import Metrics
from pipelines.serving.roller import Roller, versions_in
from pipelines.serving.settings import ServeSettings
from pipelines.storage.workspace import Workspace
from tests.pipelines.candidates.test_conformance import CATEGORICAL, NUMERIC, a_table
from tests.pipelines.model_store.champions import attach_profile
from tests.pipelines.serving.conftest import Opened, applications

SEGMENTS = SegmentSettings(segments=["channel", "tenure", "region"], segment_bands={"tenure": [12, 36]})
MONTH = f"{datetime.now(UTC):%Y-%m}"


@pytest.fixture
def profiled(served: ServeSettings) -> Workspace:
    """The workspace, its champion with a reference profile."""
    workspace = Workspace.at(served.workspace)
    store = ModelStore(workspace)
    champion = proven_champion(store, "credit_score")
    table = a_table(3000, seed=5)[0]
    probability = load_predictor(store, champion).probability_of_bad(table)
    features = table[[*NUMERIC, *CATEGORICAL]]
    profile = profile_of(points(probability, PointsScale()), probability, features, NUMERIC, Population.applications)
    attach_profile(store, champion, profile)
    return workspace


def profile_in(store: ModelStore) -> ReferenceProfile:
    path = profile_path(store, proven_champion(store, "credit_score"))
    assert path is not None
    return ReferenceProfile.from_json(path.read_text())


def test_a_dimension_is_added_by_naming_it(
    client: Opened, served: ServeSettings, profiled: Workspace, tmp_path: Path
) -> None:
    asked = applications(80)
    # given a month scored in batch and served decisions of the next one, both with the same data.segments
    table = pd.DataFrame([one["features"] | {"application_id": one["application_id"]} for one in asked])
    table["region"] = ["north", "south"] * 40
    table.to_csv(tmp_path / "table.csv", index=False)
    data = DataSettings(
        source=Source.table,
        path=str(tmp_path / "table.csv"),
        id="application_id",
        segments=SEGMENTS.segments,
        segment_bands=SEGMENTS.segment_bands,
    )
    score(ScoreSettings(served.workspace, data=data, period="2025-01"))
    served.data = SEGMENTS
    for row, one in enumerate(asked):
        one["segments"] = {"region": ("north", "south")[row % 2]}

    async def decide() -> None:
        async with client(served) as opened:
            assert (await opened.post("/decisions", json=asked)).status_code == 200
            wrong = await opened.post("/decisions", json=asked[0] | {"segments": {"regio": "north"}})
            assert (wrong.status_code, wrong.json()["field"]) == (422, "segments.regio")

    asyncio.run(decide())
    roller = Roller(profiled, versions_in(ModelStore(profiled), SEGMENTS), Metrics(tmp_path / "run"), None)
    roller.roll()
    roller.close()
    # then rows, counts and the report have the same segments
    log = ScoreLog(profiled)
    rows, counts = [], []
    for period in ("2025-01", MONTH):
        key = LogKey("credit_score", 2, Population.applications, period)
        rows.append(log.decisions(key).set_index("application_id")["segments"].map(sorted).sort_index().tolist())
        (partition,) = log.partitions(key)
        profile = log.profile(key, partition)
        assert profile is not None
        counts.append({name: tally.rows for name, tally in profile.segments.items()})
    assert rows[0] == rows[1]
    assert counts[0] == counts[1]
    assert counts[0]["region=north"] == 40
    assert {name.partition("=")[0] for name in counts[0]} == set(SEGMENTS.segments)
    assert {name for name in counts[0] if name.startswith("tenure")} <= {
        "tenure=under 12",
        "tenure=12 to 36",
        "tenure=36 or more",
    }
    settings = WatchSettings(workspace=served.workspace, period=MONTH, today="2099-01-01")
    key = LogKey("credit_score", 2, Population.applications, MONTH)
    report, _ = report_of(profiled, profile_in(ModelStore(profiled)), key, settings)
    assert {"region=north", "region=south"} <= {move.segment for move in report.moves}
