"""The settings that every candidate family has: the schema behind conf/candidate."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

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


def parameters_of(settings: CandidateSettings) -> Any:
    """Return the parameters that the settings of a family add, a dataclass."""
    return settings.parameters  # type: ignore[attr-defined]
