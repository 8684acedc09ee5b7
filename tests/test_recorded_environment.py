"""What a configuration reads from the environment is in no record, and a record can still be computed again."""

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import thinfile

pytestmark = pytest.mark.integration

TABLE, WHY, NOTICE = "s3cret-folder", "s3cret-reason", "s3cret-notice"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environment")


@pytest.fixture(scope="module")
def environment(root: Path, german_table: pd.DataFrame) -> dict[str, str]:
    path = root / TABLE / "loans.parquet"
    path.parent.mkdir()
    german_table.assign(application_id=range(len(german_table))).to_parquet(path)
    return {"LOANS": str(path), "REASON": WHY, "NOTICE": NOTICE}


@pytest.fixture
def run(root: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Any]]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def command(verb: str, *words: str) -> tuple[int, Any]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = thinfile.main([verb, *words, f"workspace={root / 'workspace'}", "output=json"])
        return code, json.loads(out.getvalue())

    return command


DATA = ("data=table", "data.path='${oc.env:LOANS}'", "data.id=application_id")
POLICY = "policy.reasons.notice='${oc.env:NOTICE}'"


def test_nothing_that_is_recorded_has_a_value_of_the_environment(
    root: Path, run: Callable[..., tuple[int, Any]]
) -> None:
    # given a study, a promotion and scores whose settings read the environment
    roles = ("data.label=creditability", "data.bad=bad")
    hydra = ("--multirun", "hydra.output_subdir=.hydra")  # a user may have Hydra keep its own files too
    tuned = run("tune", *hydra, *DATA, *roles, POLICY, "candidate=scorecard", "trials=1", "seed=1,2")
    assert tuned[0] == 0, tuned
    promoted = run("promote", POLICY, "why='${oc.env:REASON}'")
    assert promoted[1]["decision"] == "promoted", promoted
    assert run("score", *DATA, POLICY, "period=2026-10")[0] == 0
    # then no file of the workspace has a value
    files = [path for path in (root / "workspace").rglob("*") if path.is_file()]
    values = [value.encode() for value in (TABLE, WHY, NOTICE)]
    found = {path.relative_to(root): value for path in files for value in values if value in path.read_bytes()}
    assert found == {}
    # and the records have the interpolations
    configs = [json.loads(path.read_text()) for path in files if path.name == "config.json"]
    assert [config["data"]["path"] for config in configs] == ["${oc.env:LOANS}"] * 2
    assert [config["policy"]["reasons"]["notice"] for config in configs] == ["${oc.env:NOTICE}"] * 2
    assert {"multirun.yaml", "config.yaml", "overrides.yaml"} <= {path.name for path in files}
    entries = run("promote", "history")[1]["entries"]
    assert {entry["why"] for entry in entries} == {"${oc.env:REASON}"}


def test_a_record_is_computed_again_where_the_environment_is_the_same(
    run: Callable[..., tuple[int, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, answer = run("replay", "version=1")
    assert (code, answer["agrees"]) == (0, True)
    monkeypatch.delenv("LOANS")
    code, answer = run("replay", "version=1")
    assert code == 2
    assert answer["error"] == (
        "a recorded setting reads the environment, and LOANS is not set; set the variable as it was"
    )
