"""A person erased from the log of a batch: the counts of its parts stay and say so."""

import json
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipelines.erasure import erase as erasing
from pipelines.erasure.erase import erase
from pipelines.erasure.settings import EraseSettings
from pipelines.score_log.receipts import Receipt
from tests.pipelines.batch.conftest import Bench, applications, made, score_it, written

pytestmark = pytest.mark.usefixtures("small_parts")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return made(tmp_path_factory.mktemp("erased"), "scorecard")


@pytest.fixture
def bench(made_once: Bench) -> Bench:
    """A workspace of its own, for others must not know who was erased, as if nothing had been scored or erased."""
    for path in ("score_log", "chain_heads"):
        shutil.rmtree(made_once.workspace.root / path, ignore_errors=True)
    with closing(sqlite3.connect(made_once.workspace.chain)) as chain, chain:
        chain.execute("delete from chain where chain not like 'promotions of %'")
    return made_once


def receipts_of(bench: Bench) -> list[Mapping[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((bench.workspace.score_log / "receipts").rglob("*.json"))]


def manifest_of(bench: Bench) -> Mapping[str, Any]:
    (path,) = (bench.workspace.score_log / "manifests").rglob("*.json")
    told: Mapping[str, Any] = json.loads(path.read_text())
    return told


def test_the_log_loses_a_person_and_the_counts_say_so(bench: Bench, tmp_path: Path) -> None:
    table = applications(600)
    path = str(written(table, tmp_path / "table.parquet"))
    score_it(bench, input=path)
    before, customer = bench.log.decisions(bench.key()), str(table["customer_id"].iloc[7])
    theirs = before["customer_id"] == customer
    outcome = erase(EraseSettings(workspace=str(bench.workspace.root), customer=customer))
    assert outcome.result["rows"]["score_log/decisions"] == theirs.sum() > 0  # type: ignore[index]
    left = bench.log.decisions(bench.key())
    assert left.equals(before[~theirs].reset_index(drop=True))
    noted = [one for one in receipts_of(bench) if one["erased_since"]]
    assert sum(one["erased_since"]["1"] for one in noted) == theirs.sum()
    assert all(Receipt(**one).reconciles for one in receipts_of(bench))
    manifest = manifest_of(bench)
    told = {one["partition"]: one["erased_since"] for one in manifest["parts"] if one["erased_since"]}
    assert told == {one["partition"]: one["erased_since"] for one in noted}
    again = score_it(bench, input=path)
    assert (again["scored"], again["rows_in"]) == (0, 600)
    assert len(bench.log.decisions(bench.key())) == 600 - theirs.sum()
    assert manifest_of(bench)["parts"] == manifest["parts"]


def test_killed_between_the_rows_and_their_counts_the_same_command_finishes(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = applications(600)
    score_it(bench, input=str(written(table, tmp_path / "table.parquet")))
    settings = EraseSettings(workspace=str(bench.workspace.root), customer=str(table["customer_id"].iloc[7]))
    with monkeypatch.context() as patched:
        patched.setattr(erasing, "note_in_receipts", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            erase(settings)
    rows: Any = erase(settings).result["rows"]
    assert sum(one["erased_since"].get("1", 0) for one in receipts_of(bench)) == rows["score_log/decisions"]
