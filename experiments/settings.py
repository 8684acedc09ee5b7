"""What a user can set about experiments and promotions: the schemas behind conf/."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from pipelines.settings import CandidateSettings, DataSettings, PolicySettings, SplitSettings
from pipelines.verb import VerbSettings


@dataclass
class TuneSettings(VerbSettings):
    """A search: `trials` of one candidate's parameters on one table.

    `seed` draws splits, folds and parameters; `threads` belongs to the identity of a result, because CatBoost's trees
    depend on it. `model` is the name in the registry under which the best one is registered.
    """

    data: DataSettings = MISSING
    candidate: CandidateSettings = MISSING
    split: SplitSettings = field(default_factory=SplitSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    model: str = "credit_score"
    trials: int = 30
    seed: int = 0
    threads: int = 2


@dataclass
class CompareSettings(VerbSettings):
    """`model` is the name in the registry."""

    model: str = "credit_score"


@dataclass
class GateSettings:
    """What a challenger must reach on the test part.

    `minimum_auc` and the range of expected over observed defaults hold for every promotion, the first included. Against
    a champion the lower end of the interval of the AUC difference (`confidence`, two-sided) must lie above zero.
    """

    minimum_auc: float = 0.6
    lowest_expected_to_observed: float = 0.75
    highest_expected_to_observed: float = 1.33
    confidence: float = 0.95


@dataclass
class PromoteSettings(VerbSettings):
    """`version` is the challenger's number, by default the one that carries the alias `challenger`.

    `data`, `split` and `seed` say what to judge on; by default what the challenger's own record says. A model trained
    elsewhere has no record and needs `data`.
    """

    model: str = "credit_score"
    version: int | None = None
    data: DataSettings | None = None
    split: SplitSettings = field(default_factory=SplitSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    seed: int = 0
    gates: GateSettings = field(default_factory=GateSettings)
