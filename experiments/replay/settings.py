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
    """Where a run's data is now, when it was moved."""

    path: str | None = None
    """Replaces the record's data.path."""
    ttd_population: str | None = None
    """Replaces the record's table of all applicants."""


@dataclass
class ReplaySettings(VerbSettings):
    """Settings of `thinfile replay`."""

    run: str | None = None
    """MLflow id of a run of a study, or how it begins."""
    version: int | None = None
    """Version of `model`."""
    decision: str | None = None
    """decision_id of a row of the score log."""
    model: str = "credit_score"
    """Name in the registry."""
    trials: Extent = Extent.all
    """Compute all trials again, or only the registered ones."""
    threads: int | None = None
    """Threads; by default as many as the run was made with."""
    data: MovedData = field(default_factory=MovedData)
    """Where the run's data is now."""
