"""What a user can set about data, splits, candidates and scoring: the schemas behind conf/."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from pipelines.policy import PolicySettings
from pipelines.verb import VerbSettings


class Source(Enum):
    """Where applications come from."""

    german_credit = "german_credit"
    table = "table"
    marketplace = "marketplace"


@dataclass
class DataSettings:
    """One flat table of applications, described by the roles of its columns.

    `label` holds two values, of which `bad` means default. Columns without a role are inferred when `infer` is on, and
    the inference is shown. `protected` columns are never features; they travel beside the data.
    `max_quarantined` is the share of rows that may break the contract before the run stops. `status` says of each row
    whether its outcome is mature; labels are taken of mature rows only. `outcome_known_at` is when the outcome was
    known: what a model is judged on lies after all outcomes that it learnt from. `through_the_door` is the table of all
    who asked, declined and immature ones included: a model's reference profile is taken from those of its test's time;
    for a marketplace it is by default the one beside the training table. There `decision` says what the policy of the
    time decided, `approved` being the value of the approved ones, and `by_lot` which of these it would have declined
    and approved at random, so that outcomes of such applications are seen. `amount` is the feature that holds the
    amount asked for, which profit is counted in; without it every application counts as one. `meanings` says in plain
    words what a feature means, `reason_groups` which features are one reason for an applicant. `customer` says whose
    application it is; `segment` is a column by whose values a scored period is counted as well, which may be a feature
    and is never a protected one.
    """

    source: Source = MISSING
    path: str | None = None
    id: str | None = None
    time: str | None = None
    label: str | None = None
    bad: str = "1"
    status: str | None = None
    outcome_known_at: str | None = None
    through_the_door: str | None = None
    decision: str | None = None
    approved: str = "approved"
    by_lot: str | None = None
    customer: str | None = None
    segment: str | None = None
    protected: list[str] = field(default_factory=list)
    numeric: list[str] = field(default_factory=list)
    categorical: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    amount: str | None = None
    meanings: dict[str, str] = field(default_factory=dict)
    reason_groups: dict[str, str] = field(default_factory=dict)
    infer: bool = True
    max_quarantined: float = 0.1


class RejectInference(Enum):
    """How a model is told about those whom an earlier policy declined, and whose outcomes nobody knows.

    `reweighting` lets each approved application count for those like it that were declined; `fuzzy_augmentation` adds
    each declined one as partly bad and partly good, as a model of the approved sees it.
    """

    none = "none"
    reweighting = "reweighting"
    fuzzy_augmentation = "fuzzy_augmentation"


@dataclass
class SplitSettings:
    """Which applications are kept for the test, and how many folds the rest is searched on.

    With a time role the test part is the applications at or after `cutoff` (ISO date; by default the latest `test`
    share) and folds are ordered in time; without one both are stratified by the label. Where it is told when outcomes
    were known, applications whose outcome was not known at the cutoff are under embargo: in no part.
    """

    test: float = 0.3
    cutoff: str | None = None
    folds: int = 5


class CalibrationMethod(Enum):
    """How the raw log-odds become a probability of default."""

    none = "none"
    logistic = "logistic"
    isotonic = "isotonic"


@dataclass
class Range:
    """The values a search may try for one parameter, both ends included; `log` searches orders of magnitude."""

    low: float = MISSING
    high: float = MISSING
    log: bool = False


@dataclass
class CandidateSettings:
    """What every candidate family has; each family adds its `parameters`.

    `space` maps the name of a parameter to the range that a search tries; the others keep their value.
    """

    calibration: CalibrationMethod = CalibrationMethod.logistic
    space: dict[str, Range] = field(default_factory=dict)


@dataclass
class ScorecardParameters:
    """How columns are cut and weighed.

    Numbers are cut into at most `max_bins` bins of at least `min_bin_share` of the rows, where a cut gains at least
    `min_gain` (bits of information); levels rarer than `min_level_share` share a bin. `smoothing` rows at the overall
    bad rate are added to each bin. Columns below `min_information_value` are left out. `inverse_regularisation` is the
    logistic regression's C.
    """

    max_bins: int = 6
    min_bin_share: float = 0.05
    min_gain: float = 0.0005
    min_level_share: float = 0.02
    smoothing: float = 20.0
    min_information_value: float = 0.01
    inverse_regularisation: float = 0.3


@dataclass
class ScorecardSettings(CandidateSettings):
    """Weight-of-evidence binning and a logistic regression: every point can be explained."""

    parameters: ScorecardParameters = field(default_factory=ScorecardParameters)


@dataclass
class CatBoostParameters:
    """CatBoost's own names.

    Levels of columns with more than `one_hot_max_size` of them are encoded by target statistics, one column at a time:
    combinations triple the time and break monotone constraints.
    """

    iterations: int = 300
    depth: int = 6
    learning_rate: float = 0.05
    l2_leaf_reg: float = 5.0
    random_strength: float = 1.0
    one_hot_max_size: int = 16


@dataclass
class CatBoostSettings(CandidateSettings):
    """Gradient boosting on oblivious trees with native categories."""

    parameters: CatBoostParameters = field(default_factory=CatBoostParameters)


@dataclass
class HistGradientBoostingParameters:
    """scikit-learn's own names."""

    max_iter: int = 150
    learning_rate: float = 0.05
    max_leaf_nodes: int = 16
    min_samples_leaf: int = 20
    l2_regularization: float = 20.0
    max_features: float = 0.2


@dataclass
class HistGradientBoostingSettings(CandidateSettings):
    """scikit-learn's histogram gradient boosting."""

    parameters: HistGradientBoostingParameters = field(default_factory=HistGradientBoostingParameters)


FAMILIES: dict[str, type[CandidateSettings]] = {
    "scorecard": ScorecardSettings,
    "catboost": CatBoostSettings,
    "hist_gradient_boosting": HistGradientBoostingSettings,
}
"""The settings of each candidate family."""


class Population(Enum):
    """Who was scored: those who asked, or every customer under a reference loan. The two are never compared."""

    applications = "applications"
    book = "book"


class ReasonsFor(Enum):
    """Who gets reasons: those who are not approved, or nobody."""

    declined = "declined"
    nobody = "nobody"


class BatchEngine(Enum):
    """What scores the parts of a table: processes of this machine, or Spark's executors."""

    processes = "processes"
    spark = "spark"


@dataclass
class ScoreSettings(VerbSettings):
    """`period` is the month the decisions belong to (YYYY-MM); `model` the name in the registry.

    `input` is a Parquet file, or a folder of them, that is scored part by part; it stands for data.path. `reasons_for`
    says who gets reasons, by default the declined of the applications and nobody of a rescored book; with `notices`
    what the policy pack has them told is written beside the decisions. Features are kept beside them for replay: all of
    a table of up to `features_kept` rows, a sample of about so many of a larger one that is scored part by part.
    `threads` parts are scored at once, in a process each; `memory` bounds Spark's Java.
    """

    data: DataSettings = MISSING
    period: str = MISSING
    population: Population = Population.applications
    model: str = "credit_score"
    policy: PolicySettings = field(default_factory=PolicySettings)
    input: str | None = None
    reasons_for: ReasonsFor | None = None
    notices: bool = False
    features_kept: int = 20_000
    engine: BatchEngine = BatchEngine.processes
    threads: int = 2
    memory: str = "2GB"


class ReviewAction(Enum):
    """What `thinfile review` does; without a word it lists."""

    request = "request"
    decide = "decide"
    list = "list"
    history = "history"
    verify = "verify"


class ReviewOutcome(Enum):
    """What a person decides."""

    approved = "approved"
    declined = "declined"


@dataclass
class ReviewVerbSettings(VerbSettings):
    """`decision` is the decision_id of a row of the score log; `why` is written into the chain and kept for ever.

    `version` is that of the review as it was read: where somebody else went on with it, nothing is decided. With
    `period` (YYYY-MM) the list also names the decisions that the policy referred to a person and nobody has decided.
    """

    action: ReviewAction = ReviewAction.list
    decision: str | None = None
    outcome: ReviewOutcome | None = None
    why: str = ""
    version: int | None = None
    period: str | None = None


class EraseAction(Enum):
    """What `thinfile erase` does; without a word it erases."""

    erase = "erase"
    history = "history"
    verify = "verify"


@dataclass
class EraseSettings(VerbSettings):
    """`customer` is the customer_id of the person to erase; `why` is written into the chain and kept for ever.

    `columns` are further columns, of tables of your own, that hold a customer's id; `applications` are ids of the
    person's applications that no table of the lake tells.
    """

    action: EraseAction = EraseAction.erase
    customer: str | None = None
    why: str = ""
    columns: list[str] = field(default_factory=list)
    applications: list[str] = field(default_factory=list)


@dataclass
class DemoSettings(VerbSettings):
    """`data` is the real german_credit or the simulated marketplace.

    `seed` draws what is drawn and starts the searches; `trials` is the length of each search, by default one that takes
    about a minute.
    """

    data: DataSettings = MISSING
    seed: int = 0
    trials: int | None = None
