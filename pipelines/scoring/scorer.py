"""The native scorer: turns columns of numbers into score, points, band, decision and reasons, without data frames."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Columns, Floats, Levels
from pipelines.credit.points import band_labels, points
from pipelines.model_store.predictor import Predictor, load_predictor
from pipelines.model_store.registered import RegisteredModel
from pipelines.policy.pack import Automation, PolicySettings, policy_hash
from pipelines.scoring.reasons import Reasons, ReasonTexts

if TYPE_CHECKING:
    from pipelines.model_store.store import ModelStore

APPROVED, DECLINED, REFERRED = DECISIONS = ("approved", "declined", "referred")


@dataclass(frozen=True)
class ScoredApplications:
    """Answers for n applications, each array of shape (n,).

    `raw_score` are log-odds of bad before calibration, `pd` probabilities of default; `band_codes` point into the
    policy's `band_names`, `decision_codes` into DECISIONS.
    """

    raw_score: Floats
    pd: Floats
    points: NDArray[np.int64]
    band_codes: NDArray[np.intp]
    decision_codes: NDArray[np.intp]
    band_names: tuple[str, ...]

    @property
    def band(self) -> NDArray[np.str_]:
        """The name of each application's band."""
        return np.asarray(np.array(self.band_names)[self.band_codes])

    @property
    def decision(self) -> NDArray[np.str_]:
        """Each application's decision in words."""
        return np.asarray(np.array(DECISIONS)[self.decision_codes])

    @property
    def unapproved(self) -> NDArray[np.intp]:
        """The rows that are not approved, which get reasons."""
        return np.flatnonzero(self.decision_codes != DECISIONS.index(APPROVED))


def unapproved_decision(policy: PolicySettings) -> str:
    """Return what a policy decides where it does not approve."""
    return REFERRED if policy.automation is Automation.declines_are_referred else DECLINED


@dataclass(frozen=True)
class Scorer:
    """A model and the policy that turns its probabilities into decisions; the same numbers for one row as for many."""

    predictor: Predictor
    policy: PolicySettings

    @property
    def numeric(self) -> list[str]:
        """Names of the numeric columns that the model reads."""
        return self.predictor.numeric

    @property
    def categorical(self) -> list[str]:
        """Names of the categorical columns that the model reads."""
        return self.predictor.categorical

    @property
    def hash(self) -> str:
        """The hash of the model's files."""
        return self.predictor.hash

    @cached_property
    def policy_hash(self) -> str:
        """The hash of the policy."""
        return policy_hash(self.policy)

    @cached_property
    def band_names(self) -> tuple[str, ...]:
        """The names of the bands, from the lowest to the highest."""
        return tuple(band_labels(self.policy.bands, self.policy.scale))

    @cached_property
    def _bands(self) -> NDArray[np.intp]:
        """The band of each number of points, from the lowest on."""
        every = np.arange(self.policy.scale.lowest, self.policy.scale.highest + 1)
        return np.searchsorted(np.asarray(self.policy.bands), every, side="right")

    def score(self, columns: Columns) -> ScoredApplications:
        """Return the model's answers and what the policy makes of them.

        Raises:
            ValueError: a number is infinite.
        """
        return self._decided(*self.predictor.predict(columns))

    def decide(self, columns: Columns) -> tuple[ScoredApplications, Reasons]:
        """Return the answers and the reasons of the unapproved, in their order; in one pass where the model can.

        Raises:
            ValueError: a number is infinite.
        """
        prediction = self.predictor.predict_and_explain(columns)
        if prediction is None:
            answers = self.score(columns)
            return answers, self.reasons(columns, answers.unapproved)
        answers = self._decided(prediction.log_odds, prediction.probability_of_bad)
        rows = answers.unapproved
        return answers, self._reason_texts.reasons(columns, rows, prediction.explain(rows))

    def _decided(self, raw: Floats, probability: Floats) -> ScoredApplications:
        policy = self.policy
        whole = points(probability, policy.scale)
        otherwise = DECISIONS.index(unapproved_decision(policy))
        decided = np.where(whole >= policy.approve_from, DECISIONS.index(APPROVED), otherwise)
        bands = self._bands[whole - policy.scale.lowest]
        return ScoredApplications(raw, probability, whole, bands, decided, self.band_names)

    def reasons(self, columns: Columns, rows: NDArray[np.intp]) -> Reasons:
        """Return the reasons of some rows, at most as many each as the policy allows."""
        contributions = self.predictor.explain(select_rows(columns, rows))
        return self._reason_texts.reasons(columns, rows, contributions)

    @cached_property
    def _reason_texts(self) -> ReasonTexts:
        return ReasonTexts(self.predictor, self.policy.reasons)


def open_scorer(
    store: "ModelStore", registered: RegisteredModel, policy: PolicySettings, *, threads: int = -1
) -> Scorer:
    """Load a registered version as a scorer; see `load_predictor` for what is raised."""
    return Scorer(load_predictor(store, registered, policy.models, threads=threads), policy)


def select_rows(columns: Columns, rows: NDArray[np.intp]) -> Columns:
    """Return some rows of columns."""
    return {name: _some(values, rows) for name, values in columns.items()}


def _some(values: object, rows: NDArray[np.intp]) -> object:
    if isinstance(values, Levels):
        return Levels(values.codes[rows], values.names)
    return np.asarray(values)[rows]
