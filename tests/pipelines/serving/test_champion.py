"""The champion that answers is the one that the ledger names, taken up whole, or the one before."""

import logging
from collections import Counter
from pathlib import Path

import pytest

from experiments.promotion.record_signers import record_signers
from experiments.promotion.settings import PromoteAction, PromoteSettings
from pipelines.errors import RequestError
from pipelines.ledger.champion import ChampionDisputed
from pipelines.ledger.signers import VARIABLE
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHAMPION
from pipelines.policy.pack import ApprovalSettings, PolicySettings, ReasonSettings
from pipelines.policy.stored_policies import kept_policy
from pipelines.serving.champion import Champion
from pipelines.serving.feature_type import FeatureType
from pipelines.serving.settings import ServeSettings
from pipelines.storage.workspace import Workspace
from tests.experiments.promotion.test_signatures import key_of, list_keys
from tests.pipelines.candidates.test_conformance import trained
from tests.pipelines.model_store.champions import crown, make_champion


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
    crown(store, store.version("credit_score", 1))
    champion.follow()
    assert (before.version, champion.current.version) == (2, 1)
    assert events == {"champion_changes": 1}


def test_files_that_were_changed_are_not_taken_up(
    champion: Champion, store: ModelStore, events: Counter[str], caplog: pytest.LogCaptureFixture
) -> None:
    crown(store, store.version("credit_score", 1), "0" * 64)
    for _ in range(3):
        champion.follow()
    assert champion.current.version == 2
    assert events == {"champion_refused": 1}
    assert "version 1 cannot be loaded, version 2 stays in use" in caplog.text
    crown(store, store.version("credit_score", 2))
    champion.follow()
    assert champion.current.version == 2


@pytest.mark.parametrize("moved", ["to another", "away"])
def test_an_alias_that_the_ledger_did_not_move_changes_nothing_and_is_told(
    champion: Champion, store: ModelStore, events: Counter[str], caplog: pytest.LogCaptureFixture, moved: str
) -> None:
    before = champion.current
    if moved == "away":
        store.client.delete_registered_model_alias("credit_score", CHAMPION)
    else:
        store.set_alias(store.version("credit_score", 1), CHAMPION)
    for _ in range(3):
        champion.follow()
    assert champion.current is before
    assert events == {"champion_disputed": 3}
    assert caplog.text.count("the ledger names version 2 since") == 1
    # a service that starts now serves the version that the ledger has proven
    assert Champion(store, "credit_score", PolicySettings(), {}).current.version == 2
    # and follows the next promotion, after which alias and ledger agree
    crown(store, store.version("credit_score", 1))
    champion.follow()
    assert champion.current.version == 1


def test_each_champion_decides_under_the_policy_of_its_promotion(store: ModelStore) -> None:
    strict = PolicySettings(name="strict", approve_from=620, reasons=ReasonSettings(notice="You may ask."))
    following = Champion(store, "credit_score", PolicySettings(), {}, follows_policy=True)
    named = Champion(store, "credit_score", PolicySettings(), {})
    crown(store, store.version("credit_score", 1), policy=strict)
    for one in (following, named):
        one.follow()
        assert one.current.version == 1
    assert (following.current.scorer.policy.name, named.current.scorer.policy.name) == ("strict", "default")
    # its decisions can be explained by the policy of their hash
    assert kept_policy(store.workspace, following.current.scorer.policy_hash) == strict


def test_a_promotion_without_the_approvals_of_its_policy_is_never_served(
    store: ModelStore, events: Counter[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a ledger with signers, and a running service
    anna = key_of(tmp_path, "anna")
    monkeypatch.setenv(VARIABLE, str(list_keys(tmp_path / "allowed", ("anna", anna))))
    settings = PromoteSettings(action=PromoteAction.signers, workspace=str(store.workspace.root), key=str(anna))
    record_signers(settings)
    running = Champion(store, "credit_score", PolicySettings(), {}, lambda event: events.update([event]))
    # when a promotion is written past the approvals
    crown(store, store.version("credit_score", 1), policy=PolicySettings(approvals=ApprovalSettings(people=1)))
    running.follow()
    # then neither this service nor one that starts afterwards serves it
    assert (running.current.version, events) == (2, {"champion_disputed": 1})
    assert Champion(store, "credit_score", PolicySettings(), {}).current.version == 2
    # and none starts where no promotion can be proven
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(ChampionDisputed, match=r"has signers since .*; no earlier champion is proven either"):
        Champion(store, "credit_score", PolicySettings(), {})


def test_a_registry_that_cannot_be_asked_changes_nothing(
    champion: Champion, store: ModelStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def gone(*_: object) -> None:
        raise ConnectionError("postgresql://user:password@host")

    monkeypatch.setattr(store, "standing", gone)
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
