"""The champion that decides requests; when the ledger names another version, it is loaded and replaces this one."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.errors import RequestError
from pipelines.ledger.champion import ChampionDisputed, FollowedLedger, LedgerChampion
from pipelines.ledger.policy import policy_of_promotion
from pipelines.model_store.predictor import Predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.policy.pack import PolicySettings, check_policy
from pipelines.policy.stored_policies import keep_policy
from pipelines.reading.special import code_columns
from pipelines.scoring.scorer import Scorer, open_scorer
from pipelines.serving.feature_type import FeatureType
from pipelines.serving.request_contract import RequestContract
from pipelines.storage.chain import ChainBroken

logger = logging.getLogger(__name__)

Features = Mapping[str, FeatureType]
"""The features that a request sends, by name."""


@dataclass(frozen=True)
class Serving:
    """A loaded version: its scorer and the contract of its requests."""

    model: str
    version: int
    scorer: Scorer
    contract: RequestContract


def open_serving(
    store: ModelStore,
    registered: RegisteredModel,
    policy: PolicySettings,
    optional: Features | None = None,
    *,
    by_customer: bool = False,
    segments: Sequence[str] = (),
) -> Serving:
    """Load a version and score one row, so that the first request is not slow.

    Raises:
        ThinfileError: the files are not those that were registered.
        RequestError: a model whose signature does not say which columns it needs.
    """
    scorer = open_scorer(store, registered, policy, threads=1)
    contract = RequestContract(
        scorer.numeric,
        scorer.categorical,
        optional or {},
        by_customer=by_customer,
        segments=segments,
        contract=scorer.predictor.contract,
    )
    nothing = {name: np.full(1, np.nan) for name in scorer.numeric}
    columns = nothing | {name: np.array([None], dtype=object) for name in scorer.categorical}
    scorer.decide(columns)
    scorer.reasons(columns, np.array([0]))  # makes the tables that reasons are looked up in
    return Serving(registered.name, registered.version, scorer, contract)


def features_of(scorer: Scorer) -> dict[str, FeatureType]:
    """Return the features that a request sends: a number with special codes is one, and two columns of the model."""
    codes = code_columns(scorer.predictor.contract.reading.special)
    levels = [name for name in scorer.categorical if name not in codes]
    numbers = [*scorer.numeric, *(codes[name] for name in scorer.categorical if name in codes)]
    contract = scorer.predictor.contract
    types = {name: FeatureType(True, contract.kind(name)) for name in numbers}
    return types | {name: FeatureType(False, contract.kind(name)) for name in levels}


def columns_of_model(predictor: Predictor) -> dict[str, bool]:
    """Return the columns of a model, and whether each is a number."""
    return dict.fromkeys(predictor.numeric, True) | dict.fromkeys(predictor.categorical, False)


class Champion:
    """The version that decides requests now; a request that has begun keeps the version it began with.

    A request may also name features of earlier champions and of the shadow, so that senders can add those of the next
    champion before its promotion and drop those of the last one afterwards.

    With `follows_policy` each version decides under the policy that it was promoted under, in place of `policy`.
    """

    def __init__(
        self,
        store: ModelStore,
        model: str,
        policy: PolicySettings,
        shadow: Features,
        count_event: Callable[[str], None] = lambda _: None,
        *,
        follows_policy: bool = False,
        by_customer: bool = False,
        segments: Sequence[str] = (),
    ) -> None:
        self._follows_policy, self._by_customer, self._segments = follows_policy, by_customer, segments
        self._store, self._model, self._policy, self._count_event = store, model, policy, count_event
        self._optional = dict(shadow)
        self._refused: int | None = None
        self._complaint = ""
        self._ledger = FollowedLedger(store, model)
        found = self._ledger.last_proven()
        self._note_dispute(found)
        self.current = self._load(found.registered)

    def follow(self) -> None:
        """Load the version that the ledger names as champion.

        The present one stays in use where that fails, and while alias and ledger disagree.
        """
        try:
            found = self._ledger.champion()
        except (ChampionDisputed, ChainBroken) as error:
            self._count_event("champion_disputed")
            self._complain(f"{error}; version {self.current.version} stays in use", logging.ERROR)
            return
        except Exception as error:
            kept = f"version {self.current.version} stays in use"
            self._complain(f"the registry is unavailable ({type(error).__name__}); {kept}", logging.WARNING)
            return
        if self._note_dispute(found) or found.registered.version in (self.current.version, self._refused):
            return
        named = found.registered.version
        try:
            serving = self._load(found.registered)
        except Exception as error:
            self._refused = named
            self._count_event("champion_refused")
            reason = error if isinstance(error, RequestError) else f"{type(error).__name__}: {error}"
            logger.error(
                "version %d cannot be loaded, version %d stays in use: %s", named, self.current.version, reason
            )
            return
        logger.info(
            "version %d replaced version %d, policy %s", named, self.current.version, serving.scorer.policy.name
        )
        self.current, self._refused = serving, None
        self._count_event("champion_changes")

    def _note_dispute(self, found: LedgerChampion) -> bool:
        """Count and log what disputes the champion; return whether anything does."""
        if not found.dispute:
            self._complaint = ""
            return False
        self._count_event("champion_disputed")
        self._complain(f"{found.dispute}; the version that the ledger has proven stays in use", logging.ERROR)
        return True

    def _load(self, registered: RegisteredModel) -> Serving:
        policy = self._policy
        if self._follows_policy:
            workspace = self._store.workspace
            policy = policy_of_promotion(workspace, self._model, registered.version) or policy
            check_policy(policy)
            keep_policy(workspace, policy)
        serving = open_serving(
            self._store,
            registered,
            policy,
            self._optional,
            by_customer=self._by_customer,
            segments=self._segments,
        )
        self._optional |= features_of(serving.scorer)
        return serving

    def _complain(self, message: str, level: int) -> None:
        """Log why the ledger is not followed, once for each reason until it is again."""
        if message != self._complaint:
            logger.log(level, "%s", message)
        self._complaint = message


class Follower(threading.Thread):
    """A thread that runs tasks at an interval until it is stopped."""

    def __init__(self, seconds: float, *tasks: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._seconds, self._tasks, self._ended = seconds, tasks, threading.Event()

    def run(self) -> None:
        """Run the tasks in turn; a failure is logged and the task runs again at the next interval."""
        while not self._ended.wait(self._seconds):
            for task in self._tasks:
                try:
                    task()
                except Exception as error:
                    logger.error("%s", error if isinstance(error, RequestError) else type(error).__name__)

    def stop(self) -> None:
        """End after the current task."""
        self._ended.set()
        self.join()
