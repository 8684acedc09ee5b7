"""The settings of the verb replay: the schema behind conf/replay.yaml."""

from dataclasses import dataclass, field
from enum import Enum

from pipelines.command.verb import VerbSettings


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
