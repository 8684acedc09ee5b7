"""A workspace that an earlier version wrote is read by every verb that reads the score log."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from experiments.replay.replay import replay
from experiments.replay.settings import ReplaySettings
from monitoring.watch.settings import WatchSettings
from monitoring.watch.watch import watch
from monitoring.windows.references import reference_for
from monitoring.windows.windows import PeriodCounts
from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.score import score
from pipelines.batch.settings import ScoreSettings
from pipelines.credit.population import Population
from pipelines.ledger.champion import proven_champion
from pipelines.model_store.files import PROFILE
from pipelines.model_store.store import ModelStore
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.profiles.window_profile import WindowProfile
from pipelines.reviews.review import review
from pipelines.reviews.settings import ReviewAction, ReviewOutcome, ReviewVerbSettings
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.workspace import Workspace
from tests.fixtures.earlier_workspace import unpack_earlier_workspace


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return unpack_earlier_workspace(tmp_path_factory.mktemp("earlier"))


def key(period: str) -> LogKey:
    return LogKey("credit_score", 1, Population.applications, period)


def run_review(workspace: Workspace, action: ReviewAction, **changed: Any) -> dict[str, Any]:
    return dict(review(ReviewVerbSettings(workspace=str(workspace.root), action=action, **changed)).result)


def test_watch_counts_the_months_and_their_segments(earlier: Workspace) -> None:
    result = watch(WatchSettings(workspace=str(earlier.root), period="2026-02")).result
    assert result["rows"] == 100
    rows = ScoreLog(earlier).decisions(key("2026-02"))
    assert len(rows) == 100
    assert set(rows["segment"]) == {"web", "branch"}
    assert rows["segments"].isna().all()
    assert set(rows["client"]) == {"own"}
    assert rows["role"].isna().all()


def test_every_decision_is_replayed(earlier: Workspace) -> None:
    for period in ("2026-01", "2026-02"):
        for decision in ScoreLog(earlier).decisions(key(period))["decision_id"][:5]:
            result = replay(ReplaySettings(workspace=str(earlier.root), decision=decision)).result
            assert result["identical"], result["differs"]


def test_reviews_are_read_and_continued(earlier: Workspace) -> None:
    listed = run_review(earlier, ReviewAction.list)
    (opened,) = listed["open"]
    decided = run_review(
        earlier,
        ReviewAction.decide,
        decision=opened["decision_id"],
        outcome=ReviewOutcome.approved,
        why="income proven",
        version=opened["version"],
    )
    assert decided["decision"] == "approved"
    rows = ScoreLog(earlier).decisions(key("2026-02"))
    other = rows.loc[rows["decision"] == "declined", "decision_id"].iloc[0]
    assert run_review(earlier, ReviewAction.request, decision=other, why="please look")["decision_id"] == other


def test_logged_applications_are_not_scored_again_and_a_new_month_is(earlier: Workspace, tmp_path: Path) -> None:
    features = ScoreLog(earlier).features(key("2026-01"))
    ids = ScoreLog(earlier).decisions(key("2026-01"))[["decision_id", "application_id"]]
    table = features.merge(ids, on="decision_id").drop(columns="decision_id")
    pd.concat([table, table.head(20).assign(application_id=[f"N{row}" for row in range(20)])]).to_csv(
        tmp_path / "applications.csv", index=False
    )
    data = DataSettings(source=Source.table, path=str(tmp_path / "applications.csv"), id="application_id")
    scored = [
        score(ScoreSettings(workspace=str(earlier.root), data=data, period=period)).result["scored"]
        for period in ("2026-01", "2026-03")
    ]
    assert scored == [20, 120]
    assert len(ScoreLog(earlier).decisions(key("2026-01"))) == 120
    assert watch(WatchSettings(workspace=str(earlier.root), period="2026-03")).result["rows"] == 120


def test_a_segment_without_a_dimension_is_compared_with_the_one_of_its_value(earlier: Workspace) -> None:
    store = ModelStore(earlier)
    text = (store.download(proven_champion(store, "credit_score")) / PROFILE).read_text()
    counts = PeriodCounts(ScoreLog(earlier), ReferenceProfile.from_json(text))
    reference = reference_for(counts, key("2026-03"), "2026-02")
    web = (ScoreLog(earlier).decisions(key("2026-02"))["segment"] == "web").sum()
    assert reference.of_segment("channel=web")["2026-02"].rows == web
    named = WindowProfile("", Tally(), {"channel=web": reference.of_segment("web")["2026-02"]})
    both = counts.of(key("2026-02")) + named
    assert both.with_dimensions().segments["channel=web"].rows == 2 * web
