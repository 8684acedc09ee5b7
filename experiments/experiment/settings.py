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
    """What a search looks for: the most accurate model, or also less discriminatory alternatives."""

    best = "best"
    fair = "fair"


class Final(Enum):
    """What a study registers."""

    auto = "auto"
    single = "single"
    average = "average"
    blend = "blend"


class SecondObjective(Enum):
    """What a study minimises beside the highest score."""

    none = "none"
    cost = "cost"
    calibration = "calibration"


@dataclass
class FairSettings:
    """What `search=fair` compares."""

    attribute: str | None = None
    """Protected attribute, one of data.protected."""
    approval_rate: float | None = None
    """Approval rate at which all models are compared; by default that of the configured candidate at
    policy.approve_from."""
    comparable_gini_loss: float = 0.01
    """Loss of Gini below the best that still counts as comparable; the least discriminatory of these is recommended."""
    largest_gini_loss: float = 0.03
    """Loss of Gini beyond which a model is left out."""


@dataclass
class ConstraintSettings:
    """What the models of a trial must meet to be registered."""

    cost: float | None = None
    """Most microseconds per row on one core of one model of a trial, estimated from its size. `max_cost` bounds an
    average or a blend of several."""
    calibration: float | None = None
    """Largest calibration error out of fold, such as 0.02: the mean distance between PD and bad rate."""
    monotone: bool = False
    """The score of every fitted model moves with each feature as data.directions declares."""


@dataclass
class TuneSettings(VerbSettings):
    """Settings of `thinfile tune`."""

    data: DataSettings = MISSING
    """Data to learn from."""
    candidate: CandidateSettings = MISSING
    """Candidate family."""
    split: SplitSettings = field(default_factory=SplitSettings)
    """Test part and folds."""
    policy: PolicySettings = field(default_factory=PolicySettings)
    """Policy pack; its scale and cut-off are used."""
    search: Search = Search.best
    """`best` looks for the most accurate model, `fair` also for less discriminatory ones."""
    fair: FairSettings = field(default_factory=FairSettings)
    """What search=fair compares."""
    model: str = "credit_score"
    """Name in the registry."""
    trials: int | None = None
    """Trials of the study; 30 unless `time` is set."""
    time: str | None = None
    """Time after which the command is about to end with its model registered, such as 90s, 10m or 1h30m."""
    final: Final = Final.auto
    """What is registered: the best trial refitted (`single`), the average of the models of its folds (`average`), a
    `blend` of several trials, or `auto`: with candidate=auto the blend where it is better, else the average."""
    choose: str = "best"
    """`best` takes the trial with the highest score, `one_standard_error` the cheapest that is as good within the
    standard error of the difference, the number of a trial that one."""
    max_cost: float | None = 20.0
    """Most microseconds per row on one core of an average or a blend: 20 score 100 million rows in 17 minutes on two
    cores. null: no bound."""
    second_objective: SecondObjective = SecondObjective.none
    """What is minimised beside the score: `cost` per row of one model, `calibration` error out of fold, or `none`."""
    constraints: ConstraintSettings = field(default_factory=ConstraintSettings)
    """What the models of a trial must meet to be registered."""
    warm_start: bool = False
    """Begin with the best configurations of earlier studies of the same features, after the usual first ones."""
    workers: int = 1
    """Processes of this host that work on the study; they divide the cores between them."""
    deterministic: bool = True
    """The same trials for any number of workers: each round of four starts when the one before has ended. A study with
    `time` has none."""
    seed: int = 0
    """Seed of the parameters and the fits; split.seed draws the test part and the folds."""
    threads: int = 2
    """Threads of a worker, which fits share that run side by side; they belong to the identity of a result."""
    reject_inference: RejectInference = RejectInference.none
    """How the model learns about declined applications; needs data.decision and the table of all applicants."""
    leave_out: list[str] = field(default_factory=list)
    """Groups of features, or single ones, that the model does without. A marketplace's groups are those of its
    catalogue, a flat table's those of data.reason_groups; other features are groups of their own."""
    experiment_name: str | None = None
    """Label of the study in MLflow, `compare`, the model document and the ledger; by default the NAME of
    experiment=NAME. It changes no result."""
    overrides: list[str] = field(default_factory=list)
    """Label too: what `compare` shows of a version to distinguish it from others of its experiment; by default the
    overrides of the command."""
