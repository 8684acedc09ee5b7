"""A decision is made again from what lies in the workspace, and whatever was changed since is named."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from experiments.replay.replay_decision import replay_decision
from pipelines.applications.settings import DataSettings, Source
from pipelines.batch.score import score
from pipelines.batch.settings import ScoreSettings
from pipelines.command.verb import ExitCode, Outcome, VerbSettings, attempt
from pipelines.credit.population import Population
from pipelines.erasure.erase import erase
from pipelines.erasure.settings import EraseSettings
from pipelines.errors import RequestError
from pipelines.model_store.store import ModelStore
from pipelines.policy.pack import PolicySettings, ReasonSettings, policy_hash
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.workspace import Workspace
from tests.pipelines.candidates.test_conformance import nasty, trained
from tests.pipelines.model_store.champions import make_champion

POLICY = PolicySettings(name="ours", approve_from=460, reasons=ReasonSettings(opening="Because of:"))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which each family was champion for a month and scored the same applications."""
    folder = tmp_path_factory.mktemp("replay")
    found = Workspace.at(str(folder / "workspace"))
    nasty().assign(id=[f"A{row:02d}" for row in range(60)]).to_parquet(folder / "asked.parquet")
    data = DataSettings(source=Source.table, path=str(folder / "asked.parquet"), id="id")
    for month, family in enumerate(["scorecard", "catboost", "hist_gradient_boosting"], start=1):
        make_champion(ModelStore(found), trained(family), folder / family)
        score(ScoreSettings(workspace=str(found.root), data=data, period=f"2026-{month:02d}", policy=POLICY))
    return found


def decisions(workspace: Workspace, version: int) -> pd.DataFrame:
    key = LogKey("credit_score", version, Population.applications, f"2026-{version:02d}")
    return ScoreLog(workspace).decisions(key)


def declined(workspace: Workspace) -> str:
    rows = decisions(workspace, 1)
    return str(rows.loc[rows["decision"] == "declined", "decision_id"].iloc[0])


@contextmanager
def changed(file: Path, change: Callable[[bytes], bytes]) -> Iterator[None]:
    original = file.read_bytes()
    file.write_bytes(change(original))
    assert file.read_bytes() != original
    try:
        yield
    finally:
        file.write_bytes(original)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_decision_of_every_family_is_made_again_to_the_last_bit(version: int, workspace: Workspace) -> None:
    rows = decisions(workspace, version)
    assert set(rows["decision"]) == {"approved", "declined"}
    for row in rows.iloc[:: 1 if version == 1 else 5].itertuples():
        told = replay_decision(workspace, row.decision_id)
        assert (told.exit_code, told.result["differs"]) == (ExitCode.DONE, [])
        replayed: Any = told.result["replayed"]
        assert (replayed["raw_score"], replayed["decision"]) == (row.raw_score, row.decision)
        assert (replayed["reasons"] is None) == (row.decision == "approved")


def test_the_answer_shows_what_the_applicant_was_told(workspace: Workspace) -> None:
    told = replay_decision(workspace, declined(workspace))
    assert "under policy 'ours'" in str(told.summary[0])
    assert "  Because of:" in told.summary
    assert any(str(line).startswith("  1. ") for line in told.summary)
    assert str(told.summary[-1]).startswith("IDENTICAL")


def test_an_unknown_id_is_told_where_ids_are(workspace: Workspace) -> None:
    with pytest.raises(
        RequestError, match=r"the score log has no decision 'A07'; the ids are in the column decision_id"
    ):
        replay_decision(workspace, "A07")
    with pytest.raises(RequestError, match="the score log has no decision 'x'"):
        replay_decision(Workspace.at("/nowhere"), "x")


def names(told: Outcome) -> str:
    assert told.exit_code is ExitCode.ANSWER_IS_NO
    assert not told.result["identical"]
    return "\n".join(map(str, told.result["differs"]))  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["artifacts/model/scorecard.json", "artifacts/model/model.json", "served_model.py"])
def test_a_flipped_byte_in_a_models_file_is_named(name: str, workspace: Workspace) -> None:
    store = ModelStore(workspace)
    file = store.download(store.version("credit_score", 1)) / name
    for place in (100, file.stat().st_size // 2):
        with changed(file, lambda content, at=place: content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]):
            told = names(replay_decision(workspace, declined(workspace)))
            assert "model: credit_score version 1 has hash" in told
            assert f"; {name} was changed (in" in told
    assert replay_decision(workspace, declined(workspace)).exit_code is ExitCode.DONE


def test_another_policy_under_the_same_name_is_named(workspace: Workspace) -> None:
    file = workspace.policies / f"{policy_hash(POLICY)}.json"
    with changed(file, lambda content: content.replace(b'"approve_from": 460', b'"approve_from": 450')):
        told = names(replay_decision(workspace, declined(workspace)))
        assert "does not match its hash" in told
        assert str(file) in told


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("raw_score", 0.123, "raw_score: logged 0.123, replayed"),
        ("points", 900, "points: logged 900, replayed"),
        ("decision", "approved", "decision: logged 'approved', replayed 'declined'"),
        ("reasons", ["bad luck"], r"reasons: logged \['bad luck'\], replayed \["),
        ("application_id", "A99", "decision_id: not the id for this model hash"),
        ("period", "2025-01", "period: logged 2025-01, in a file of 2026-01"),
    ],
)
def test_an_altered_row_of_the_log_is_named(column: str, value: Any, message: str, workspace: Workspace) -> None:
    with altered(workspace, lambda row: row.update({column: value})) as identity:
        assert re.search(message, names(replay_decision(workspace, identity)))


@pytest.mark.parametrize(("places", "is_rounding"), [(1, True), (-3, True), (40, False), (-400, False)])
def test_the_last_digit_of_a_pd_is_rounding(places: int, is_rounding: bool, workspace: Workspace) -> None:
    def move(row: dict[str, Any]) -> None:
        row["pd"] += places * np.spacing(row["pd"])

    with altered(workspace, move) as identity:
        outcome = replay_decision(workspace, identity)
        assert outcome.result["identical"] == is_rounding == (outcome.exit_code is ExitCode.DONE)
        assert ("up to this rounding" in str(outcome.summary[-1])) == is_rounding
        named = outcome.result["rounding" if is_rounding else "differs"]
        assert str(named).startswith("['pd: logged 0.")


@contextmanager
def altered(workspace: Workspace, change: Callable[[dict[str, Any]], None]) -> Iterator[str]:
    """Change the row of a declined decision in the log; yield its id."""
    (file,) = (workspace.score_log / "decisions").rglob("version=1/**/*.parquet")
    identity, original = declined(workspace), file.read_bytes()
    table = pq.read_table(file, partitioning=None)
    rows = table.to_pylist()
    change(next(row for row in rows if row["decision_id"] == identity))
    pq.write_table(type(table).from_pylist(rows, schema=table.schema), file)
    try:
        yield identity
    finally:
        file.write_bytes(original)


def test_altered_features_give_another_answer(workspace: Workspace) -> None:
    (file,) = (workspace.score_log / "features").rglob("version=1/**/*.parquet")
    identity, original = declined(workspace), file.read_bytes()
    features = pd.read_parquet(file)
    features.loc[features["decision_id"] == identity, "income"] = -3.0
    features.to_parquet(file)
    try:
        assert "raw_score: logged" in names(replay_decision(workspace, identity))
    finally:
        file.write_bytes(original)


@pytest.mark.parametrize("kind", ["decisions", "features"])
def test_a_flipped_byte_in_the_log_never_gives_another_answer(kind: str, workspace: Workspace) -> None:
    (file,) = (workspace.score_log / kind).rglob("version=1/**/*.parquet")
    identity, size = declined(workspace), file.stat().st_size
    original, found = replay_decision(workspace, identity).result, 0
    for place in np.linspace(8, size - 9, 40).astype(int):
        flip = lambda content, at=place: content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]  # noqa: E731
        with changed(file, flip):
            told = attempt(lambda _: replay_decision(workspace, identity), VerbSettings())
        if told.exit_code is ExitCode.DONE:  # the byte lies in a part of the file that says nothing of this decision
            assert told.result == original
        else:
            found += 1
            assert str(file) in told.error or "decision_id" in told.error or told.result["differs"]
    assert found >= 20


def test_an_erased_decision_is_told_as_erased_and_not_as_unknown(workspace: Workspace, tmp_path: Path) -> None:
    copy = Workspace.at(str(shutil.copytree(workspace.root, tmp_path / "copy")))
    identity = declined(copy)
    application = str(decisions(copy, 1).set_index("decision_id").loc[identity, "application_id"])
    erase(EraseSettings(workspace=str(copy.root), customer="SOMEBODY", applications=[application]))
    outcome = replay_decision(copy, identity)
    assert outcome.exit_code is ExitCode.ANSWER_IS_NO
    assert outcome.result["erased"] == {"entries": [1]}
    assert f"ERASED: decision {identity} was erased" in str(outcome.summary[0])
