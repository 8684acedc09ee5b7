"""What a user can set about monitoring: the schema behind conf/watch.yaml."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from pipelines.settings import Population
from pipelines.verb import VerbSettings


@dataclass
class AlarmSettings:
    """When a column's move is an alarm: its PSI exceeds `floor` and what noise alone would reach.

    `level` is the probability that noise alone rings anywhere in a report on a month without drift.
    """

    floor: float = 0.1
    level: float = 0.01


@dataclass
class WatchSettings(VerbSettings):
    """`period` is the month to look at; `version` the model version that scored it, by default the champion.

    `sample` bounds the rows that Evidently's own exploration is given.
    """

    period: str = MISSING
    model: str = "credit_score"
    version: int | None = None
    population: Population = Population.applications
    alarm: AlarmSettings = field(default_factory=AlarmSettings)
    sample: int = 5000
