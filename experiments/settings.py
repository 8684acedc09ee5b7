"""What a user can set about experiments and promotions: the schemas behind conf/."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from pipelines.policy import PolicySettings
from pipelines.settings import CandidateSettings, DataSettings, RejectInference, SplitSettings
from pipelines.verb import VerbSettings, carried, override


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


@dataclass
class CompareSettings(VerbSettings):
    """`model` is the name in the registry."""

    model: str = "credit_score"


class PromoteAction(Enum):
    """What `thinfile promote` does: without a word it asks, and applies at once what needs nobody else's approval."""

    decide = "decide"
    request = "request"
    approve = "approve"
    apply = "apply"
    rollback = "rollback"
    history = "history"
    verify = "verify"


@dataclass
class PromoteSettings(VerbSettings):
    """`version` is the challenger's number, by default the one that carries the alias `challenger`.

    `data`, `split` and `seed` say what to judge on; by default what the challenger's own record says. A model trained
    elsewhere has no record and needs `data`.

    `request` is the ledger entry that `approve` and `apply` are about, by default the latest open one; `key` a private
    ssh key to sign an approval with; `why` is written into the ledger. `rollback` goes back to the champion before, or
    to an earlier champion named by `version`.
    """

    action: PromoteAction = PromoteAction.decide
    model: str = "credit_score"
    version: int | None = None
    data: DataSettings | None = None
    split: SplitSettings = field(default_factory=SplitSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    seed: int = 0
    request: int | None = None
    key: str | None = None
    why: str = ""


def carried_along(settings: PromoteSettings) -> str:
    """Return the overrides that the next step of a promotion needs: model, workspace, and the policy pack by its name.

    >>> carried_along(PromoteSettings(policy=PolicySettings(name="eu")))
    ' policy=eu'
    """
    name = settings.policy.name
    return carried(settings) if name == PolicySettings().name else f" {override('policy', name)}{carried(settings)}"


class Extent(Enum):
    """Which trials a replay computes again: all of them, or only those that were registered."""

    all = "all"
    registered = "registered"


@dataclass
class MovedData:
    """Where a run's data lies now, when it is no longer where the run's record says."""

    path: str | None = None
    through_the_door: str | None = None


@dataclass
class ReplaySettings(VerbSettings):
    """What to replay: a `run` of a study (its MLflow id, or how that begins), a `version` of `model`, or a `decision`.

    A run is rebuilt from its own record with as many `threads` as it was made with. `trials` computes all again or,
    quicker, the registered ones alone.
    """

    run: str | None = None
    version: int | None = None
    decision: str | None = None
    model: str = "credit_score"
    trials: Extent = Extent.all
    threads: int | None = None
    data: MovedData = field(default_factory=MovedData)
