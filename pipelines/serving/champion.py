"""The champion that decides requests; when the registry names another version, it is loaded and replaces this one."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.errors import RequestError
from pipelines.model_store.predictor import Predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHAMPION
from pipelines.policy.pack import PolicySettings
from pipelines.reading.special import code_columns
from pipelines.scoring.scorer import Scorer, open_scorer
from pipelines.serving.feature_type import FeatureType
from pipelines.serving.request_contract import RequestContract

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
    """

    def __init__(
        self,
        store: ModelStore,
        model: str,
        policy: PolicySettings,
        shadow: Features,
        count_event: Callable[[str], None] = lambda _: None,
        *,
        by_customer: bool = False,
        segments: Sequence[str] = (),
    ) -> None:
        self._by_customer, self._segments = by_customer, segments
        self._store, self._model, self._policy, self._count_event = store, model, policy, count_event
        self._optional = dict(shadow)
        self._refused: int | None = None
        self._silent = False
        self.current = self._load(store.require_champion(model))

    def follow(self) -> None:
        """Load the version that the registry names as champion; the present one stays in use where that fails."""
        try:
            named = self._store.alias(self._model, CHAMPION)
        except Exception as error:
            self._complain("the registry is unavailable (%s)", type(error).__name__)
            return
        if named is None:
            self._complain("the registry names no champion%s", "")
            return
        self._silent = False
        if named in (self.current.version, self._refused):
            return
        try:
            serving = self._load(self._store.version(self._model, named))
        except Exception as error:
            self._refused = named
            self._count_event("champion_refused")
            reason = error if isinstance(error, RequestError) else f"{type(error).__name__}: {error}"
            logger.error(
                "version %d cannot be loaded, version %d stays in use: %s", named, self.current.version, reason
            )
            return
        logger.info("version %d replaced version %d", named, self.current.version)
        self.current, self._refused = serving, None
        self._count_event("champion_changes")

    def _load(self, registered: RegisteredModel) -> Serving:
        serving = open_serving(
            self._store,
            registered,
            self._policy,
            self._optional,
            by_customer=self._by_customer,
            segments=self._segments,
        )
        self._optional |= features_of(serving.scorer)
        return serving

    def _complain(self, message: str, about: str) -> None:
        """Log that the registry cannot be followed, once until it can be again."""
        if not self._silent:
            logger.warning(message + "; version %d stays in use", about, self.current.version)
        self._silent = True


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
