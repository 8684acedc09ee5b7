"""A workspace with a champion, and a service in this process that answers without a socket."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import httpx
import pandas as pd
import pytest

from pipelines.model_store.store import ModelStore
from pipelines.policy.stored_policies import keep_policy
from pipelines.serving.settings import ServeSettings
from pipelines.serving.worker import WorkerPlan, opened
from pipelines.storage.workspace import Workspace
from tests.pipelines.candidates.test_conformance import a_table, trained
from tests.pipelines.model_store.champions import make_champion

Opened = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture(scope="module")
def champions(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a scorecard, version 1, and CatBoost, version 2, the champion."""
    folder = tmp_path_factory.mktemp("champions")
    workspace = Workspace.at(str(folder / "workspace"))
    store = ModelStore(workspace)
    for family in ("scorecard", "catboost"):
        make_champion(store, trained(family), folder / family)
    return workspace


@pytest.fixture
def served(champions: Workspace, tmp_path: Path) -> ServeSettings:
    """Settings of a service on a workspace of the test's own; the models lie where they lay."""
    copytree(champions.root, tmp_path / "workspace", ignore=lambda _, names: [n for n in names if n == "artifacts"])
    return ServeSettings(workspace=str(tmp_path / "workspace"), port=0, workers=1)


@pytest.fixture
def client() -> Opened:
    """Open a worker of a service and yield a client that talks to it."""

    @asynccontextmanager
    async def opened_client(settings: ServeSettings, **changed: Any) -> AsyncIterator[httpx.AsyncClient]:
        import os

        workspace = Workspace.at(settings.workspace)
        keep_policy(workspace, settings.policy)
        plan = WorkerPlan(settings, 1, workspace.serving / "run", os.getppid(), is_open=True)
        async with opened(replace(plan, **changed)) as application:
            transport = httpx.ASGITransport(application, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as found:
                yield found

    return opened_client


def applications(rows: int, seed: int = 5, prefix: str = "A") -> list[dict[str, Any]]:
    """Return requests for so many applications, with missing values and an unseen city."""
    table = a_table(rows, seed)[0]
    table.loc[0, "city"] = "a city that nobody has seen"
    features = table.astype(object).where(pd.notna(table), None).to_dict("records")
    return [{"application_id": f"{prefix}{row}", "features": one} for row, one in enumerate(features)]


def untouched(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of a decision that is looked up, and that no person has looked at."""
    standing = {"decision": answer["decision"], "is_overturned": False, "is_in_review": False, "decided_at": None}
    return answer | {"standing": standing}
