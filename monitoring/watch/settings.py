"""The settings of the verb watch: the schema behind conf/watch.yaml."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from monitoring.alarms.settings import AlarmPolicySettings
from monitoring.outcomes.settings import OutcomeSettings
from monitoring.thresholds.settings import ThresholdSettings
from monitoring.windows.settings import WindowSettings
from pipelines.applications.settings import SegmentSettings
from pipelines.command.verb import VerbSettings
from pipelines.credit.population import Population
from pipelines.engine.spark_settings import SparkSettings
from pipelines.profiles.settings import ProfileEngine
from pipelines.reading.settings import ReadingSettings


class WatchAction(Enum):
    """What `thinfile watch` does; without a word it reports."""

    report = "report"
    acknowledge = "acknowledge"
    alarms = "alarms"
    verify = "verify"


@dataclass
class TableSettings(SegmentSettings, ReadingSettings):
    """How a table that was scored elsewhere is read; columns without a role are features."""

    score: str = "points"
    """Column that decisions are made by, points or a probability."""
    pd: str | None = None
    """Column of the probability of bad, where the score is in points."""
    band: str | None = None
    """Column of the band."""
    decision: str | None = None
    """Column of the decision."""
    categorical: list[str] = field(default_factory=list)
    """Whole numbers that are codes."""
    ignored: list[str] = field(default_factory=list)
    """Columns to leave out, such as ids."""
    engine: ProfileEngine = ProfileEngine.threads
    """What counts the table."""
    threads: int = 2
    """Threads or executors."""
    memory: str = "4GB"
    """Memory limit, such as 4GB."""
    spark: SparkSettings = field(default_factory=SparkSettings)
    """Which Spark, with table.engine=spark."""


@dataclass
class WatchSettings(WindowSettings, VerbSettings):
    """Settings of `thinfile watch`."""

    period: str = MISSING
    """Month of the report, YYYY-MM."""
    model: str = "credit_score"
    """Name in the registry."""
    version: int | None = None
    """Model version that scored the period; by default the champion."""
    population: Population = Population.applications
    """Applications, or the book."""
    input: str | None = None
    """Table that was scored elsewhere, or its stored profile: a file, a folder of files, or a profile."""
    reference_input: str | None = None
    """Table or profile that `input` is compared with."""
    table: TableSettings = field(default_factory=TableSettings)
    """Roles of the columns of `input`."""
    thresholds: ThresholdSettings = field(default_factory=ThresholdSettings)
    """When a move reaches watch or act level."""
    outcomes: OutcomeSettings = field(default_factory=OutcomeSettings)
    """Where outcomes come from."""
    sample: int = 5000
    """Rows given to Evidently's own exploration."""
    alarms: AlarmPolicySettings = field(default_factory=AlarmPolicySettings)
    """What an alarm does."""
    action: WatchAction = WatchAction.report
    """What to do; without a word the report is written."""
    by: str | None = None
    """Who acknowledges; by default the account that runs the command."""
    why: str = ""
    """Reason of an acknowledgement, stored permanently."""
