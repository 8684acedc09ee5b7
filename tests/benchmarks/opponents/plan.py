"""What is measured: which searches, on which tables, for which seeds and seconds."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.benchmarks.opponents.data_sets import GERMAN, MARKETPLACE, TAIWAN, DataSet
from tests.benchmarks.opponents.measured import Measured
from tests.benchmarks.opponents.systems import (
    AUTOGLUON,
    BAG_BLEND,
    DEFAULT_COST,
    FLAML,
    GLUE,
    THINFILE,
    System,
)

OPPONENTS = (FLAML, AUTOGLUON, BAG_BLEND)


@dataclass(frozen=True)
class Series:
    """Searches of one table for the same seconds, once for each seed."""

    data: DataSet
    seeds: Sequence[int]
    seconds: int
    systems: tuple[System, ...] = (THINFILE, *OPPONENTS, DEFAULT_COST)


@dataclass(frozen=True)
class Run:
    """One search."""

    data: DataSet
    seed: int
    seconds: int
    system: System

    @property
    def key(self) -> tuple[str, int, int, str]:
        """Its name in the record."""
        return self.data.name, self.seed, self.seconds, self.system.name


COMPARED = (
    Series(TAIWAN, range(5), 60),
    Series(GERMAN, range(5), 60),
    Series(MARKETPLACE, range(5), 60),
)
"""On these the differences are tested."""

LONGER = Series(TAIWAN, range(2), 300, (THINFILE, FLAML, AUTOGLUON))

SHORTER = Series(TAIWAN, range(2), 20, (THINFILE, FLAML, AUTOGLUON))
"""For the picture alone."""

GLUED = Run(TAIWAN, 0, 0, GLUE)
"""It has a number of trials and no time limit."""

PLAN = (*COMPARED, LONGER)


def runs_of(plan: Sequence[Series]) -> Iterator[Run]:
    """Yield the searches, those of a split one after the other."""
    for series in plan:
        for seed in series.seeds:
            for system in series.systems:
                yield Run(series.data, seed, series.seconds, system)


def a_tenth_of(measured: Iterable[Measured]) -> list[Run]:
    """Return Thinfile's search in a tenth of the seconds that the glue took, none where the glue was not measured."""
    seconds = [int(one.wall / 10) for one in measured if one.key == GLUED.key and one.auc is not None]
    return [Run(GLUED.data, GLUED.seed, one, THINFILE) for one in seconds]
