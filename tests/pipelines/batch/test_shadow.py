"""`score version=N` writes shadow scores: of all applications, apart from the decisions, deciding nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitoring.watch.settings import WatchSettings
from monitoring.watch.watch import watch
from pipelines.batch.score import score
from pipelines.credit.population import Population
from pipelines.errors import ConfigurationError, RequestError
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.reviews.reviews import row_of
from pipelines.score_log.columns import DECISION, SHADOW
from pipelines.score_log.key import LogKey
from tests.pipelines.batch.conftest import Bench, applications, made, score_it, settings, written
from tests.pipelines.candidates.test_conformance import trained
from tests.pipelines.model_store.champions import attach_profile, crown, make_champion

TABLE = applications(300)


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A workspace whose champion is version 1; version 2 is a challenger."""
    folder = tmp_path_factory.mktemp("shadow")
    bench = made(folder, "scorecard")
    store = ModelStore(bench.workspace)
    make_champion(store, trained("hist_gradient_boosting"), folder / "second")
    attach_profile(store, store.version("credit_score", 2), bench.reference)
    crown(store, store.version("credit_score", 1))
    return bench


def key(version: int, role: str, period: str) -> LogKey:
    return LogKey("credit_score", version, Population.applications, period, role)


def scored(bench: Bench, folder: Path, period: str, **told: Any) -> dict[str, Any]:
    return score_it(bench, input=str(written(TABLE, folder / "table.parquet")), period=period, **told)


@pytest.mark.parametrize("shadow_first", [True, False])
@pytest.mark.usefixtures("small_parts")
def test_shadow_scores_are_all_written_and_change_no_decision(
    versions: Bench, tmp_path: Path, shadow_first: bool
) -> None:
    period = "2026-01" if shadow_first else "2026-02"
    order = [2, None] if shadow_first else [None, 2]
    answers = {version: scored(versions, tmp_path, period, version=version) for version in order}
    assert {version: (one["scored"], one["role"]) for version, one in answers.items()} == {
        None: (300, DECISION),
        2: (300, SHADOW),
    }
    log, store = versions.log, ModelStore(versions.workspace)
    shadow = log.decisions(key(2, SHADOW, period)).set_index("application_id").loc[TABLE["application_id"]]
    expected = load_predictor(store, store.version("credit_score", 2)).probability_of_bad(TABLE)
    np.testing.assert_array_equal(shadow["pd"], expected)
    decided = log.decisions(key(1, DECISION, period))
    assert set(decided["decision_id"]).isdisjoint(shadow["decision_id"])
    assert (log.count(key(1, DECISION, period)), log.count(key(2, DECISION, period))) == (300, 0)
    assert key(2, SHADOW, period) not in log.logged_keys()
    assert log.other_versions(key(1, DECISION, period)) == []
    # again, it finds its work done
    assert scored(versions, tmp_path, period, version=2)["already_logged"] == 300


def test_a_shadow_that_becomes_champion_decides_for_itself(versions: Bench, tmp_path: Path) -> None:
    assert scored(versions, tmp_path, "2026-03", version=2)["scored"] == 300
    store = ModelStore(versions.workspace)
    crown(store, store.version("credit_score", 2))
    try:
        answer = scored(versions, tmp_path, "2026-03")
    finally:
        crown(store, store.version("credit_score", 1))
    assert (answer["version"], answer["role"], answer["scored"], answer["already_logged"]) == (2, DECISION, 300, 0)
    ids = [set(versions.log.decisions(key(2, role, "2026-03"))["decision_id"]) for role in (DECISION, SHADOW)]
    assert ids[0].isdisjoint(ids[1])


def test_every_output_says_that_it_is_a_shadow(versions: Bench, tmp_path: Path) -> None:
    outcome = score(settings(versions, input=str(written(TABLE, tmp_path / "t.parquet")), period="2026-04", version=2))
    assert str(outcome.summary[0]).startswith("SHADOW, no decision: credit_score version 2 scored 300 of 300")
    assert "it would have" in str(outcome.summary[1])
    (step,) = outcome.next_steps
    assert step.endswith("version=2")
    told = watch(WatchSettings(period="2026-04", version=2, workspace=str(versions.workspace.root), today="2026-06-01"))
    assert str(told.summary[0]).startswith("SHADOW, no decision: ")
    assert told.result["role"] == SHADOW
    identity = versions.log.decisions(key(2, SHADOW, "2026-04"))["decision_id"].iloc[0]
    with pytest.raises(RequestError, match="is a shadow score of version 2, which decided nothing"):
        row_of(versions.workspace, identity)


def test_what_cannot_be_a_shadow_is_refused(versions: Bench, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="version 1 is the champion, which decides; leave out version=1"):
        scored(versions, tmp_path, "2026-05", version=1)
    with pytest.raises(RequestError, match="no version 9"):
        scored(versions, tmp_path, "2026-05", version=9)
    with pytest.raises(ConfigurationError, match="shadow scores decide nothing"):
        scored(versions, tmp_path, "2026-05", version=2, notices=True)
