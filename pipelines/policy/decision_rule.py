"""The one rule by which a bound is judged: the figure, or an end of its interval, decides."""

from dataclasses import dataclass
from enum import Enum


class Decides(Enum):
    """What is compared with a bound: the figure itself, or an end of its interval.

    `worst_end` requires proof that the bound is met: the whole interval must lie within it. `best_end` requires proof
    that it is broken: an interval that reaches into the bound meets it. A figure without an interval decides itself.
    """

    figure = "figure"
    worst_end = "worst_end"
    best_end = "best_end"


@dataclass(frozen=True)
class Interval:
    """A figure with the ends of its interval, None where it has none."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Decision:
    """The number that decided, and by how much it is outside the bound: negative inside, 0 exactly at it."""

    number: float
    excess: float
    decided_by: Decides

    @property
    def is_met(self) -> bool:
        """Whether the bound is met."""
        return self.excess <= 0


@dataclass(frozen=True)
class Bound:
    """The range that a figure must be in; None leaves an end open."""

    low: float | None = None
    high: float | None = None

    def judge(self, interval: Interval, decides: Decides) -> Decision:
        """Return whether a figure meets the bound, by the number that decides.

        >>> doubtful = Interval(1.30, low=1.10, high=1.50)
        >>> [Bound(0.8, 1.25).judge(doubtful, one).is_met for one in Decides]
        [False, False, True]
        >>> Bound(0.8, 1.25).judge(doubtful, Decides.best_end).number
        1.1
        """
        low, high = interval.low, interval.high
        if low is None or high is None or decides is Decides.figure:
            decides, towards_low, towards_high = Decides.figure, interval.value, interval.value
        else:
            towards_low, towards_high = (low, high) if decides is Decides.worst_end else (high, low)
        ends = []
        if self.low is not None:
            ends.append((self.low - towards_low, towards_low))
        if self.high is not None:
            ends.append((towards_high - self.high, towards_high))
        excess, number = max(ends)
        return Decision(number, excess, decides)
