"""The score log by itself: its row, its keys, its partitions."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.credit.population import Population
from pipelines.errors import RequestError, ThinfileError
from pipelines.score_log.columns import row_schema
from pipelines.score_log.key import LogKey, check_period, decision_ids
from pipelines.score_log.score_log import PartitionFiles, ScoreLog
from pipelines.storage.workspace import Workspace
from tests.pipelines.score_log.rows import decision_table

KEY = LogKey("credit_score", 2, Population.applications, "2026-01")
OTHERS = [
    LogKey("other", 2, Population.applications, "2026-01"),
    LogKey("credit_score", 3, Population.applications, "2026-01"),
    LogKey("credit_score", 2, Population.book, "2026-01"),
    LogKey("credit_score", 2, Population.applications, "2026-02"),
]


def decided(*ids: str, key: LogKey = KEY) -> pa.Table:
    scores = {
        "raw_score": np.zeros(len(ids)),
        "pd": np.full(len(ids), 0.5),
        "points": np.full(len(ids), 405),
        "band": ["350-549"] * len(ids),
        "decision": ["declined"] * len(ids),
    }
    return decision_table(key, "model", "policy", "input", {"application_id": np.array(ids), **scores})


def logged(log: ScoreLog, partition: str, *ids: str, key: LogKey = KEY) -> None:
    features = pd.DataFrame({"income": np.arange(len(ids), dtype=float), "channel": ["app"] * len(ids)})
    files = PartitionFiles(features, pd.DataFrame({"sex": ["f"] * len(ids)}))
    log.write(key, partition, decided(*ids, key=key), files)


def test_the_row_is_that_of_the_design() -> None:
    assert row_schema().names == [
        "decision_id",
        "application_id",
        "customer_id",
        "population",
        "period",
        "decided_at",
        "model",
        "model_version",
        "model_hash",
        "policy_hash",
        "raw_score",
        "pd",
        "points",
        "band",
        "decision",
        "reasons",
        "segment",
        "input_fingerprint",
        "client",
        "role",
        "segments",
    ]
    assert decided("a").schema.names == row_schema().names


def test_what_is_logged_comes_back(workspace: Workspace) -> None:
    log = ScoreLog(workspace)
    logged(log, "one", "a", "b")
    logged(log, "two", "c")
    found = log.decisions(KEY)
    assert sorted(found["application_id"]) == ["a", "b", "c"]
    assert list(found) == row_schema().names
    assert set(found["period"]) == {"2026-01"}
    features = found.merge(log.features(KEY), on="decision_id").set_index("application_id")
    assert features["income"].to_dict() == {"a": 0.0, "b": 1.0, "c": 0.0}


@pytest.mark.parametrize("other", OTHERS, ids=["model", "version", "population", "period"])
def test_keys_do_not_mix(other: LogKey, workspace: Workspace) -> None:
    log = ScoreLog(workspace)
    logged(log, "one", "a")
    assert log.decisions(other).empty
    assert list(log.decisions(other)) == row_schema().names
    logged(log, "one", "b", key=other)
    assert log.decisions(KEY)["application_id"].tolist() == ["a"]


def test_the_periods_that_were_scored_are_told_in_order(workspace: Workspace) -> None:
    log = ScoreLog(workspace)
    for month in (12, 3):
        key = LogKey("credit_score", 2, Population.applications, f"2026-{month:02d}")
        logged(log, "one", "a", key=key)
    assert log.periods(LogKey("credit_score", 2, Population.applications, "")) == ["2026-03", "2026-12"]
    assert log.periods(LogKey("credit_score", 2, Population.book, "")) == []


def test_protected_attributes_lie_apart(workspace: Workspace) -> None:
    logged(ScoreLog(workspace), "one", "a")
    holding = [path for path in workspace.score_log.rglob("*.parquet") if "sex" in pq.read_schema(path).names]
    assert [path.relative_to(workspace.score_log).parts[0] for path in holding] == ["protected"]


def test_a_writer_killed_before_its_decisions_has_decided_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a writer that dies when it comes to the decisions
    log, decisions = ScoreLog(workspace), decided("a", "b")
    features, protected = pd.DataFrame({"income": [1.0, 2.0]}), pd.DataFrame({"sex": ["f", "m"]})
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", _dies_at_decisions)
        with pytest.raises(KeyboardInterrupt):
            log.write(KEY, "one", decisions, PartitionFiles(features, protected))
    assert log.decisions(KEY).empty
    # when it is run again
    log.write(KEY, "one", decisions, PartitionFiles(features, protected))
    # then nothing is there twice
    assert len(log.decisions(KEY)) == len(log.features(KEY)) == 2


def _dies_at_decisions(self: Path, target: Path) -> Path:
    if "decisions" in target.parts:
        raise KeyboardInterrupt
    self.rename(target)
    return target


ids = st.lists(st.text(min_size=1), min_size=1, unique=True).map(np.array)


@given(ids)
def test_decision_ids_are_stable_and_tell_applications_apart(applications: np.ndarray) -> None:
    found = decision_ids(KEY, "model", applications)
    assert found == decision_ids(KEY, "model", applications)
    assert len(set(found)) == len(applications)
    assert decision_ids(KEY, "model", applications[::-1]) == found[::-1]


def test_another_model_population_or_period_decides_anew() -> None:
    one = np.array(["a"])
    found = [decision_ids(KEY, "model", one), decision_ids(KEY, "other", one)]
    found += [decision_ids(key, "model", one) for key in OTHERS[2:]]
    assert len({identity for (identity,) in found}) == 4


@pytest.mark.parametrize("period", ["october", "2026", "2026-13", "2026-00", "2026-10-01", "26-10", ""])
def test_a_period_that_is_no_month_is_told(period: str) -> None:
    with pytest.raises(RequestError, match=f"period must be a month such as 2026-10, received '{period}'"):
        check_period(period)


def test_a_month_has_one_spelling() -> None:
    check_period("2026-01")
    with pytest.raises(RequestError):
        check_period("2026-1")


def test_no_partition_replaces_another(workspace: Workspace) -> None:
    log = ScoreLog(workspace)
    logged(log, "one", "a", "b")
    with suppress(ThinfileError):  # to refuse is as good as to keep both
        logged(log, "one", "c")
    assert {"a", "b"} <= set(log.decisions(KEY)["application_id"])
