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
    """The range of a parameter that a search tries."""

    low: float = MISSING
    """Lowest value, included."""
    high: float = MISSING
    """Highest value, included."""
    log: bool = False
    """Sample on a logarithmic scale."""

    def includes(self, value: float) -> bool:
        """Return whether a value lies in the range."""
        return self.low <= value <= self.high


@dataclass
class CandidateSettings:
    """Settings of every candidate family."""

    calibration: CalibrationMethod = CalibrationMethod.logistic
    """How raw log-odds become a probability of default."""
    space: dict[str, Range] = field(default_factory=dict)
    """Parameter: the range that a search tries; other parameters keep their value."""


@dataclass
class AutoSettings(CandidateSettings):
    """A search over several families, each within its own space."""

    families: list[str] = field(default_factory=list)
    """Families to search; by default all that are installed."""


def parameters_of(settings: CandidateSettings) -> Any:
    """Return the parameters that the settings of a family add, a dataclass."""
    return settings.parameters  # type: ignore[attr-defined]
