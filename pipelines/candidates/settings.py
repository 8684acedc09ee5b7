"""The settings of candidate families: the schema behind conf/candidate."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING


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
