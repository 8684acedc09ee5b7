"""From the journal to the log: each decision once, with its features, and the shadow's beside them."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.score import score
from pipelines.batch.settings import ScoreSettings
from pipelines.credit.population import Population
from pipelines.ledger.champion import proven_champion
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.policy.pack import PolicySettings
from pipelines.reviews.reviews import Reviews, row_of
from pipelines.score_log.columns import COLUMNS, DECISION, SHADOW, Column
from pipelines.score_log.key import LogKey
from pipelines.score_log.rolled_decisions import RolledDecisions
from pipelines.score_log.score_log import ScoreLog
from pipelines.serving.champion import Serving, open_serving
from pipelines.serving.metrics import Metrics
from pipelines.serving.roller import Roller, versions_in
from pipelines.serving.settings import ServeSettings
from pipelines.storage.workspace import Workspace
from tests.pipelines.model_store.champions import crown
from tests.pipelines.serving.conftest import Opened, applications, untouched

Decide = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def decide(client: Opened, served: ServeSettings) -> Decide:
    """Let a worker decide applications and stop."""

    def run(*batches: list[dict[str, Any]], settings: ServeSettings = served) -> list[dict[str, Any]]:
        async def whole() -> list[dict[str, Any]]:
            async with client(settings) as opened:
                answers = [await opened.post("/decisions", json=batch) for batch in batches]
            return [one for answer in answers for one in answer.json()]

        return asyncio.run(whole())

    return run


@pytest.fixture
def workspace(served: ServeSettings) -> Workspace:
    return Workspace.at(served.workspace)


def roll(workspace: Workspace, shadow: Serving | None = None) -> Counter[str]:
    """Roll the journal in a process that has just started, and return what was counted."""
    metrics = Metrics(workspace.serving / "run-of-the-roller")
    roller = Roller(workspace, versions_in(ModelStore(workspace)), metrics, shadow)
    before = metrics.total()
    roller.roll()
    roller.close()
    return Counter({name: int(value - before[name]) for name, value in metrics.total().items() if value > before[name]})


def logged(workspace: Workspace, version: int = 2, role: str = DECISION) -> pd.DataFrame:
    log, key = ScoreLog(workspace), LogKey("credit_score", version, Population.applications, "", role)
    (period,) = log.periods(key)
    return log.decisions(replace(key, period=period))


def test_what_was_answered_is_logged_with_its_features(decide: Decide, workspace: Workspace) -> None:
    asked = applications(50)
    answers = decide(asked[:20], asked[20:])
    assert roll(workspace) == {"rolled": 50}
    told = logged(workspace).set_index("application_id")
    for one in answers:
        row = told.loc[one["application_id"]]
        assert [row[name] for name in ("decision_id", "pd", "raw_score", "points", "band", "decision")] == [
            one[name] for name in ("decision_id", "pd", "raw_score", "points", "band", "decision")
        ]
        assert list(row["reasons"] if row["reasons"] is not None else []) == one["reasons"]
    key = LogKey("credit_score", 2, Population.applications, answers[0]["period"])
    features = ScoreLog(workspace).features(key).set_index("decision_id")
    store = ModelStore(workspace)
    again = load_predictor(store, proven_champion(store, "credit_score")).probability_of_bad(
        features.loc[told["decision_id"]]
    )
    np.testing.assert_array_equal(again, told["pd"])


def test_rolled_decisions_are_found_and_repeated(client: Opened, decide: Decide, served: ServeSettings) -> None:
    asked = [one | {"amount": 70_000} for one in applications(5)]
    answers = decide(asked)
    roll(Workspace.at(served.workspace))

    async def about() -> Any:
        async with client(served) as opened:
            again = (await opened.post("/decisions", json=asked)).json()
            found = (await opened.get(f"/decisions/{answers[3]['decision_id']}")).json()
            changed = asked[0] | {"features": asked[0]["features"] | {"tenure": 77}}
            return again, found, (await opened.post("/decisions", json=changed)).status_code

    again, found, status = asyncio.run(about())
    assert (again, found, status) == (answers, untouched(answers[3]), 409)
    assert roll(Workspace.at(served.workspace)) == {}


def test_a_decision_that_a_person_overturned_says_so(client: Opened, decide: Decide, served: ServeSettings) -> None:
    workspace = Workspace.at(served.workspace)
    answer = decide(applications(1))[0]
    roll(workspace)
    row = row_of(workspace, answer["decision_id"])
    otherwise = "declined" if answer["decision"] == "approved" else "approved"
    Reviews(workspace).request(row, by="ann", why="the income was typed wrong")
    Reviews(workspace).decide(row, otherwise, by="bob", why="it was", requester_may_decide=False)

    async def about() -> Any:
        async with client(served) as opened:
            return (await opened.get(f"/decisions/{answer['decision_id']}")).json()

    found = asyncio.run(about())
    assert found["decision"] == answer["decision"]
    assert (found["standing"]["decision"], found["standing"]["is_overturned"]) == (otherwise, True)


def test_rolled_decisions_are_counted_beside_the_log(decide: Decide, served: ServeSettings) -> None:
    workspace, asked = Workspace.at(served.workspace), applications(30)
    answers = decide(asked)
    roll(workspace)
    log = ScoreLog(workspace)
    key = log.logged_keys()[0]
    found = log.profile(key, Path(log.partitions(key)[0]).stem)
    assert found is not None
    assert found.overall.rows == 30
    assert found.overall.decisions == Counter(one["decision"] for one in answers)
    assert found.overall.bands == Counter(one["band"] for one in answers)
    assert sum(found.overall.reasons.values()) == sum(len(one["reasons"]) for one in answers)


@pytest.mark.parametrize("step", ["write", "add", "unlink"])
def test_killed_at_any_step_the_next_one_logs_each_decision_once(
    decide: Decide, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    answers = decide(applications(10))
    owner: Any = {"write": ScoreLog, "add": RolledDecisions, "unlink": Path}[step]
    whole = getattr(owner, step)

    def killed(self: Any, *words: Any, **options: Any) -> Any:
        if step == "unlink" and self.suffix != ".journal":
            return whole(self, *words, **options)
        if step != "unlink":
            whole(self, *words, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, step, killed)
    with pytest.raises(KeyboardInterrupt):
        roll(workspace)
    monkeypatch.undo()
    assert roll(workspace) == {"rolled": 10}
    assert sorted(logged(workspace)["decision_id"]) == sorted(one["decision_id"] for one in answers)
    assert roll(workspace) == {}


def test_the_shadow_is_logged_under_its_own_key_with_its_own_numbers(
    decide: Decide, workspace: Workspace, served: ServeSettings
) -> None:
    asked = applications(30)
    answers = decide(asked, settings=replace(served, shadow=1))
    store = ModelStore(workspace)
    shadow = open_serving(store, store.version("credit_score", 1), PolicySettings())
    assert roll(workspace, shadow) == {"rolled": 30, "shadow_scored": 30}
    assert [one["model_version"] for one in answers] == [2] * 30
    told = (
        logged(workspace, version=1, role=SHADOW)
        .set_index("application_id")
        .loc[[one["application_id"] for one in asked]]
    )
    expected = load_predictor(store, store.version("credit_score", 1)).probability_of_bad(
        pd.DataFrame([one["features"] for one in asked])
    )
    np.testing.assert_array_equal(told["pd"], expected)
    assert set(told["decision_id"]).isdisjoint(one["decision_id"] for one in answers)
    assert len(logged(workspace)) == 30
    assert (set(told["role"]), set(logged(workspace)["role"])) == ({"shadow"}, {"decision"})


def test_a_shadow_that_fails_costs_no_decision(
    decide: Decide, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(applications(10))
    store = ModelStore(workspace)
    shadow = open_serving(store, store.version("credit_score", 1), PolicySettings())
    monkeypatch.setattr("pipelines.serving.roller.shadowed", lambda *_: 1 / 0)
    assert roll(workspace, shadow) == {"rolled": 10, "shadow_failed": 10}
    assert len(logged(workspace)) == 10


def test_decisions_of_two_champions_lie_under_their_keys(
    client: Opened, served: ServeSettings, workspace: Workspace
) -> None:
    store = ModelStore(workspace)

    async def about() -> list[Any]:
        found = []
        for version, prefix in ((2, "A"), (1, "B")):
            crown(store, store.version("credit_score", version))
            async with client(served) as opened:
                found.append((await opened.post("/decisions", json=applications(7, prefix=prefix))).json())
                again = await opened.post("/decisions", json=applications(7, prefix="A"))
                found.append(again.json())
        return found

    first, repeated, second, still = asyncio.run(about())
    assert first == repeated == still  # decided in this period: the champion's change does not decide anew
    assert roll(workspace) == {"rolled": 14}
    assert set(logged(workspace, 2)["application_id"]) == {one["application_id"] for one in first}
    assert set(logged(workspace, 1)["application_id"]) == {one["application_id"] for one in second}


@pytest.mark.parametrize("change", [0.0, 5.0])
def test_a_table_scored_meanwhile_is_not_logged_twice(
    decide: Decide, workspace: Workspace, served: ServeSettings, tmp_path: Path, change: float
) -> None:
    asked = applications(10)
    answers = decide(asked)
    table = pd.DataFrame([one["features"] | {"id": one["application_id"]} for one in asked[:6]])
    table["income"] = table["income"].astype(float) + change
    table.to_parquet(tmp_path / "table.parquet")
    data = DataSettings(source=Source.table, path=str(tmp_path / "table.parquet"), id="id")
    score(ScoreSettings(workspace=served.workspace, data=data, period=answers[0]["period"]))
    changed = int(table["income"].notna().sum()) if change else 0
    assert roll(workspace) == {"rolled": 10} | ({"contradicted": changed} if change else {})
    told = logged(workspace)
    assert sorted(told["decision_id"]) == sorted(one["decision_id"] for one in answers)
    aside = workspace.serving / "contradicted.jsonl"
    assert aside.exists() == bool(change)


@pytest.mark.parametrize("killed", [None, "write", "add"])
@pytest.mark.parametrize("rows", [1, 6, 10])
def test_a_table_that_an_earlier_champion_scored_meanwhile_keeps_its_decisions(
    client: Opened,
    decide: Decide,
    served: ServeSettings,
    workspace: Workspace,
    tmp_path: Path,
    rows: int,
    killed: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    dying: dict[str, Any] = {"write": (ScoreLog, "write", dies), "add": (RolledDecisions, "add", dies)}
    asked = applications(10)
    answers = {one["application_id"]: one for one in decide(asked)}  # by version 2
    store = ModelStore(workspace)
    crown(store, store.version("credit_score", 1))
    table = pd.DataFrame([one["features"] | {"id": one["application_id"]} for one in asked[:rows]])
    table.to_csv(tmp_path / "table.csv", index=False)
    data = DataSettings(source=Source.table, path=str(tmp_path / "table.csv"), id="id")
    period = answers["A0"]["period"]
    score(ScoreSettings(workspace=served.workspace, data=data, period=period))
    crown(store, store.version("credit_score", 2))
    if killed is not None and (killed, rows) != ("write", 10):  # nothing is written where all are decided
        with monkeypatch.context() as patched:
            patched.setattr(*dying[killed])
            with pytest.raises(KeyboardInterrupt):
                roll(workspace)
        with (workspace.serving / "contradicted.jsonl").open("ab") as file:
            file.write(b'{"cut off')
        assert roll(workspace) == {"rolled": 10}
    else:
        assert roll(workspace) == {"rolled": 10, "contradicted": rows}
    by_version = [logged(workspace, version) for version in (1, 2) if version == 1 or rows < 10]
    assert sorted(pd.concat(by_version)["application_id"]) == sorted(answers)
    assert set(by_version[0]["application_id"]) == set(table["id"])
    aside = (workspace.serving / "contradicted.jsonl").read_text().splitlines()
    assert len(aside) == rows
    assert {json.loads(line)["row"]["decision_id"] for line in aside} == {
        answers[one]["decision_id"] for one in table["id"]
    }

    async def repeated() -> Any:
        async with client(served) as opened:
            return (await opened.post("/decisions", json=asked)).json()

    again = {one["application_id"]: one["decision_id"] for one in asyncio.run(repeated())}
    assert again == pd.concat(by_version).set_index("application_id")["decision_id"].to_dict()


def test_one_declaration_adds_a_column_to_the_files_of_batch_and_service(
    decide: Decide, workspace: Workspace, served: ServeSettings, tmp_path: Path
) -> None:
    """The toy column: twice the points."""
    asked = applications(10)
    decide(asked[:5])
    period = f"{datetime.now(UTC):%Y-%m}"
    table = pd.DataFrame([one["features"] | {"application_id": one["application_id"]} for one in asked[5:]])
    table.to_parquet(tmp_path / "table.parquet")
    toy = Column("double_points", pa.int64(), value=lambda decisions: pc.multiply(decisions["points"], 2))
    COLUMNS.append(toy)
    try:
        roll(workspace)
        data = DataSettings(source=Source.table)
        score(ScoreSettings(served.workspace, data=data, period=period, input=str(tmp_path / "table.parquet")))
    finally:
        COLUMNS.remove(toy)
    files = sorted((workspace.score_log / "decisions").rglob("*.parquet"))
    assert len(files) == 2
    for file in files:
        rows = pq.read_table(file, partitioning=None).to_pandas()
        assert rows["double_points"].tolist() == (2 * rows["points"]).tolist()
        assert set(zip(rows["client"], rows["role"], strict=True)) == {("own", "decision")}
