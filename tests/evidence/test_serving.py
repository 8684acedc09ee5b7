"""The service answers every request while the champion changes, and whatever its own document allows."""

import asyncio
import json
import re
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipelines.credit.population import Population
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.workspace import Workspace
from tests.evidence.conftest import Evidence
from tests.pipelines.candidates.test_conformance import a_table, trained
from tests.pipelines.model_store.champions import crown, make_champion
from tests.services import ask_all, serving

pytestmark = pytest.mark.integration  # whole commands, run again and again

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
UNBOUNDED = "limits.decisions_per_second=null"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with two versions; the second, CatBoost, is champion."""
    store = ModelStore(Workspace.at(str(tmp_path / "workspace")))
    for family in ("scorecard", "catboost"):
        make_champion(store, trained(family), tmp_path / family)
    return tmp_path / "workspace"


def test_no_request_fails_while_the_champion_changes(evidence: Evidence, workspace: Path) -> None:
    count = evidence.size(full=20_000, reduced=6_000)
    table = a_table(count, seed=3)[0]
    features = table.astype(object).where(pd.notna(table), None).to_dict("records")
    bodies = [json.dumps({"application_id": f"A{row}", "features": one}).encode() for row, one in enumerate(features)]
    told: dict[int, tuple[int, bytes]] = {}
    with serving(workspace, "workers=2", "follow_seconds=0.1", UNBOUNDED) as service:
        with _changing(workspace) as changes:
            asyncio.run(ask_all(service.port, bodies, 8, lambda row, *answer: told.update({row: answer})))
        outcome = service.stop()
    statuses = Counter(status for status, _ in told.values())
    answers = {row: json.loads(body) for row, (status, body) in told.items() if status == 200}
    versions = Counter(one["model_version"] for one in answers.values())
    are_exact = _are_the_models_own(workspace, table, answers)
    are_logged = _logged(workspace) == sorted(one["decision_id"] for one in answers.values())
    holds = statuses == {200: count} and set(versions) == {1, 2} and are_exact and are_logged
    evidence.record(
        "42-serving-champion",
        claim="while the champion changes back and forth, no request fails; every answer is that of the version it "
        "names to the last bit, and all of them are in the score log once",
        value=f"{statuses[200]:,} of {count:,} answered, {len(changes)} promotions, taken up "
        f"{outcome['champion_changes']} times by 2 workers; by version {dict(sorted(versions.items()))}",
        bound="all",
        holds=holds,
    )
    assert statuses == {200: count}
    assert set(versions) == {1, 2}
    assert are_exact
    assert are_logged


def test_whatever_the_document_allows_is_answered_as_it_says(evidence: Evidence, workspace: Path) -> None:
    pytest.importorskip("schemathesis")
    cases = evidence.size(full=5_000, reduced=150)
    with serving(workspace, "workers=2", UNBOUNDED) as service:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{service.address}/openapi.json"]
        command += ["--max-examples", str(cases), "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"]
        command += ["--suppress-health-check", "all", "--generation-database", "none", "--seed", "1", "--no-color"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        counters = service.ask("/metrics")[1]
        service.stop()
    statuses = Counter[str]()
    for status, times in re.findall(r'requests_total\{route="\w+",status="(\d+)"\} (\d+)', counters):
        statuses[status] += int(times)
    generated = int((re.search(r"([\d,]+) generated", done.stdout) or ["", "0"])[1].replace(",", ""))
    has_failed = done.returncode != 0
    server_errors = sum(times for status, times in statuses.items() if status >= "500")
    holds = not has_failed and not server_errors and generated >= cases
    evidence.record(
        "43-openapi-fuzz",
        claim="schemathesis asks what the OpenAPI document allows and what it does not: no 5xx, no undocumented answer",
        value=f"{generated:,} cases, answered {dict(sorted(statuses.items()))}; {server_errors} of them 5xx",
        bound="at least 5,000 cases, none fails",
        holds=holds,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert not server_errors
    assert generated >= cases


class _changing:
    """Promotes the one version and then the other, again and again, until the block ends."""

    def __init__(self, workspace: Path) -> None:
        self._store = ModelStore(Workspace.at(str(workspace)))
        self._ended, self._changes = threading.Event(), list[int]()
        self._thread = threading.Thread(target=self._change)

    def _change(self) -> None:
        versions = self._store.versions("credit_score")
        while not self._ended.wait(0.4):
            version = versions[len(self._changes) % 2]
            crown(self._store, version)
            self._changes.append(version.version)

    def __enter__(self) -> list[int]:
        self._thread.start()
        return self._changes

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def _are_the_models_own(workspace: Path, table: pd.DataFrame, answers: dict[int, Any]) -> bool:
    store = ModelStore(Workspace.at(str(workspace)))
    expected = {
        version: load_predictor(store, store.version("credit_score", version)).probability_of_bad(table)
        for version in (1, 2)
    }
    found = np.array([one["pd"] for one in answers.values()])
    exact = np.array([expected[one["model_version"]][row] for row, one in answers.items()])
    return bool((found == exact).all())


def _logged(workspace: Path) -> list[str]:
    log = ScoreLog(Workspace.at(str(workspace)))
    found: list[str] = []
    for version in (1, 2):
        for period in log.periods(LogKey("credit_score", version, Population.applications, "")):
            found += log.decisions(LogKey("credit_score", version, Population.applications, period))[
                "decision_id"
            ].tolist()
    return sorted(found)
