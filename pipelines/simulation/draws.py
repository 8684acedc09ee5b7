"""Random numbers that depend on the seed, the part and what they are for, and on nothing else.

Each purpose has a stream of its own, so that a scenario which draws more for one thing moves no other number.
"""

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Draws:
    """The streams of one part of the simulation; `group` tells apart customers that a scenario adds."""

    seed: int
    part: int
    group: str = ""

    def stream(self, purpose: str) -> np.random.Generator:
        """Return the generator of one purpose, always at its beginning."""
        return np.random.default_rng([self.seed, self.part, crc32(f"{self.group}/{purpose}".encode())])

    def uniform(self, purpose: str, size: int | tuple[int, ...]) -> Floats:
        """Return numbers from 0 to 1."""
        return self.stream(purpose).random(size)

    def normal(self, purpose: str, size: int) -> Floats:
        """Return standard normal numbers."""
        return self.stream(purpose).standard_normal(size)

    def within(self, purpose: str, low: int, high: int, size: int) -> Ints:
        """Return whole numbers from `low` to below `high`."""
        return self.stream(purpose).integers(low, high, size)


def logistic(log_odds: Floats) -> Floats:
    """Return the probability of log-odds."""
    return 1.0 / (1.0 + np.exp(-log_odds))
