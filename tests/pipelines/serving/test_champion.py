"""The champion that answers is the one that the registry names, taken up whole, or the one before."""

import logging
from collections import Counter
from pathlib import Path

import pytest

from pipelines.errors import RequestError
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHAMPION, MODEL_HASH
from pipelines.policy.pack import PolicySettings
from pipelines.serving.champion import Champion
from pipelines.serving.feature_type import FeatureType
from pipelines.serving.settings import ServeSettings
from pipelines.storage.workspace import Workspace
from tests.pipelines.candidates.test_conformance import trained
from tests.pipelines.model_store.champions import make_champion


@pytest.fixture
def store(served: ServeSettings) -> ModelStore:
    return ModelStore(Workspace.at(served.workspace))


@pytest.fixture
def events() -> Counter[str]:
    return Counter()


@pytest.fixture
def champion(store: ModelStore, events: Counter[str]) -> Champion:
    return Champion(
        store, "credit_score", PolicySettings(), {"asset": FeatureType(True)}, lambda event: events.update([event])
    )


def test_another_champion_is_taken_up_and_who_had_the_first_keeps_it(
    champion: Champion, store: ModelStore, events: Counter[str]
) -> None:
    before = champion.current
    champion.follow()
    assert champion.current is before
    store.set_alias(store.version("credit_score", 1), CHAMPION)
    champion.follow()
    assert (before.version, champion.current.version) == (2, 1)
    assert events == {"champion_changes": 1}


def test_files_that_were_changed_are_not_taken_up(
    champion: Champion, store: ModelStore, events: Counter[str], caplog: pytest.LogCaptureFixture
) -> None:
    broken = store.version("credit_score", 1)
    store.tag(broken, {MODEL_HASH: "0" * 64})
    store.set_alias(broken, CHAMPION)
    for _ in range(3):
        champion.follow()
    assert champion.current.version == 2
    assert events == {"champion_refused": 1}
    assert "version 1 cannot be loaded, version 2 stays in use" in caplog.text
    store.set_alias(store.version("credit_score", 2), CHAMPION)
    champion.follow()
    assert champion.current.version == 2


def test_a_registry_that_cannot_be_asked_changes_nothing(
    champion: Champion, store: ModelStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def gone(*_: object) -> None:
        raise ConnectionError("postgresql://user:password@host")

    monkeypatch.setattr(store, "alias", gone)
    for _ in range(3):
        champion.follow()
    assert champion.current.version == 2
    assert caplog.text.count("the registry is unavailable") == 1
    assert "password" not in caplog.text


def test_features_of_the_shadow_and_of_champions_before_may_come(
    champion: Champion, store: ModelStore, tmp_path: Path
) -> None:
    make_champion(store, trained("scorecard", numeric=["income"], categorical=["channel"]), tmp_path / "smaller")
    champion.follow()
    contract = champion.current.contract
    assert (contract.numeric, contract.categorical) == (["income"], ["channel"])
    number, text = FeatureType(True), FeatureType(False)
    assert contract.optional == {"asset": number, "constant": number, "tenure": number, "city": text}


def test_without_a_champion_nothing_starts(store: ModelStore) -> None:
    with pytest.raises(RequestError, match="no champion"):
        Champion(store, "another", PolicySettings(), {})
