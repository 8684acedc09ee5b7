"""The settings of the verb tune: the schema behind conf/tune.yaml."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from experiments.reject_inference.settings import RejectInference
from pipelines.applications.settings import DataSettings, SplitSettings
from pipelines.candidates.settings import CandidateSettings
from pipelines.command.verb import VerbSettings
from pipelines.policy.pack import PolicySettings


class Search(Enum):
    """What a search looks for: the most accurate model, or also those that treat groups of people less differently."""

    best = "best"
    fair = "fair"


@dataclass
class FairSettings:
    """What a fair search compares: approval rates by the protected `attribute`, one of data.protected.

    All models are compared at the same overall `approval_rate`: by default the share that the configured candidate's
    points approve at policy.approve_from. Models whose Gini lies no more than `comparable_gini_loss` below the best
    serve as well, the least discriminatory of them is recommended; those beyond `largest_gini_loss` are left out.
    """

    attribute: str | None = None
    approval_rate: float | None = None
    comparable_gini_loss: float = 0.01
    largest_gini_loss: float = 0.03


@dataclass
class TuneSettings(VerbSettings):
    """A search: `trials` of one candidate's parameters on one table.

    `search=fair` looks for less discriminatory alternatives, as `fair` says.

    `seed` draws splits, folds and parameters; `threads` belongs to the identity of a result, because CatBoost's trees
    depend on it. `model` is the name in the registry under which the best one is registered. `reject_inference` needs
    earlier decisions on all who asked (data.decision, data.through_the_door).
    """

    data: DataSettings = MISSING
    candidate: CandidateSettings = MISSING
    split: SplitSettings = field(default_factory=SplitSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    search: Search = Search.best
    fair: FairSettings = field(default_factory=FairSettings)
    model: str = "credit_score"
    trials: int = 30
    seed: int = 0
    threads: int = 2
    reject_inference: RejectInference = RejectInference.none
