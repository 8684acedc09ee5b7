"""A candidate: a family with its parameters set, and the family that given settings describe."""

from pathlib import Path
from typing import Any, Protocol

from pipelines.candidates.catboost import CatBoostCandidate
from pipelines.candidates.hist_gradient_boosting import HistGradientBoostingCandidate
from pipelines.candidates.sample import Sample
from pipelines.candidates.scorecard import ScorecardCandidate
from pipelines.candidates.settings import (
    CandidateSettings,
    CatBoostSettings,
    HistGradientBoostingSettings,
    ScorecardSettings,
)


class Candidate(Protocol):
    """A family with its parameters set."""

    @property
    def family(self) -> str:
        """The name of the family."""

    @property
    def parameters(self) -> Any:
        """Its settings, a dataclass."""

    def fit(self, sample: Sample, *, seed: int, threads: int) -> Any:
        """Return a `served.Scorer` fitted on the sample; the same seed and thread count give the same one."""

    def save(self, scorer: Any, folder: Path) -> dict[str, object]:
        """Write the fitted model's files into a folder and return what its card must add."""


def candidate_of(settings: CandidateSettings) -> Candidate:
    """Return the candidate that the settings describe."""
    match settings:
        case ScorecardSettings():
            return ScorecardCandidate(settings.parameters)
        case CatBoostSettings():
            return CatBoostCandidate(settings.parameters)
        case HistGradientBoostingSettings():
            return HistGradientBoostingCandidate(settings.parameters)
    raise TypeError(f"no candidate for {type(settings).__name__}")
