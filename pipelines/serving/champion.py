"""Who answers: the champion, loaded aside and taken up in one step whenever the registry names another."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.errors import RequestError
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHAMPION
from pipelines.policy.pack import PolicySettings
from pipelines.scoring.scorer import Scorer, open_scorer
from pipelines.serving.request_contract import RequestContract

logger = logging.getLogger(__name__)

Features = Mapping[str, bool]
"""Names of features; true where they are numbers."""


@dataclass(frozen=True)
class Serving:
    """A version that is ready to answer: its scorer, and what a request must say."""

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
    """Load a version and let it answer once, so that nothing is left to be made at the first request.

    Raises:
        ThinfileError: the files are not those that were registered.
        RequestError: a model whose signature does not say which columns it needs.
    """
    scorer = open_scorer(store, registered, policy, threads=1)
    contract = RequestContract(
        scorer.numeric, scorer.categorical, optional or {}, by_customer=by_customer, segments=segments
    )
    nothing = {name: np.full(1, np.nan) for name in scorer.numeric}
    columns = nothing | {name: np.array([None], dtype=object) for name in scorer.categorical}
    scorer.decide(columns)
    scorer.reasons(columns, np.array([0]))  # makes the tables that reasons are looked up in
    return Serving(registered.name, registered.version, scorer, contract)


def features_of(scorer: Scorer) -> dict[str, bool]:
    """Return the features that a scorer reads."""
    return dict.fromkeys(scorer.numeric, True) | dict.fromkeys(scorer.categorical, False)


class Champion:
    """The version that answers now. `current` is replaced whole: whoever took it before keeps what it took.

    A request may name features of champions before and of the shadow: senders can add those of the next champion before
    it is one, and drop those of the last one afterwards.
    """

    def __init__(
        self,
        store: ModelStore,
        model: str,
        policy: PolicySettings,
        shadow: Features,
        tell: Callable[[str], None] = lambda _: None,
        *,
        by_customer: bool = False,
        segments: Sequence[str] = (),
    ) -> None:
        self._by_customer, self._segments = by_customer, segments
        self._store, self._model, self._policy, self._tell = store, model, policy, tell
        self._optional = dict(shadow)
        self._refused: int | None = None
        self._silent = False
        self.current = self._load(store.require_champion(model))

    def follow(self) -> None:
        """Take up the version that the registry names; the present one stays where that fails."""
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
            found = self._load(self._store.version(self._model, named))
        except Exception as error:
            self._refused = named
            self._tell("champion_refused")
            told = error if isinstance(error, RequestError) else f"{type(error).__name__}: {error}"
            logger.error("version %d cannot be loaded, version %d stays in use: %s", named, self.current.version, told)
            return
        logger.info("version %d replaced version %d", named, self.current.version)
        self.current, self._refused = found, None
        self._tell("champion_changes")

    def _load(self, registered: RegisteredModel) -> Serving:
        found = open_serving(
            self._store,
            registered,
            self._policy,
            self._optional,
            by_customer=self._by_customer,
            segments=self._segments,
        )
        self._optional |= features_of(found.scorer)
        return found

    def _complain(self, message: str, about: str) -> None:
        """Say once, until it is well again, that the champion cannot be followed."""
        if not self._silent:
            logger.warning(message + "; version %d stays in use", about, self.current.version)
        self._silent = True


class Follower(threading.Thread):
    """Does something every so often until it is stopped."""

    def __init__(self, seconds: float, *tasks: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._seconds, self._tasks, self._ended = seconds, tasks, threading.Event()

    def run(self) -> None:
        """Do the tasks in turn; one that fails is told and done again the next time."""
        while not self._ended.wait(self._seconds):
            for task in self._tasks:
                try:
                    task()
                except Exception as error:
                    logger.error("%s", error if isinstance(error, RequestError) else type(error).__name__)

    def stop(self) -> None:
        """End after the task under way."""
        self._ended.set()
        self.join()
