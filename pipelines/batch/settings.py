"""The settings of the verb score: the schema behind conf/score.yaml."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from pipelines.applications.settings import DataSettings
from pipelines.command.verb import VerbSettings
from pipelines.credit.population import Population
from pipelines.engine.spark_settings import SparkSettings
from pipelines.policy.pack import PolicySettings


class ReasonsFor(Enum):
    """Who gets reasons: applicants who are not approved, or no one."""

    declined = "declined"
    nobody = "nobody"


class BatchEngine(Enum):
    """What scores the parts of a table: processes of this machine, or Spark's executors."""

    processes = "processes"
    spark = "spark"


@dataclass
class ScoreSettings(VerbSettings):
    """Settings of `thinfile score`."""

    data: DataSettings = MISSING
    """Table to score."""
    period: str = MISSING
    """Month that the decisions belong to, YYYY-MM."""
    population: Population = Population.applications
    """Applications, or the book."""
    model: str = "credit_score"
    """Name in the registry."""
    version: int | None = None
    """Version whose scores are written as a shadow, beside the champion's decisions; by default the champion decides.
    """
    policy: PolicySettings = field(default_factory=PolicySettings)
    """Policy pack."""
    input: str | None = None
    """File, folder of files, or their address such as s3://BUCKET/FOLDER, scored part by part; replaces data.path."""
    decisions_to: str | None = None
    """Folder, or its address such as s3://BUCKET/FOLDER, that gets a copy of the decisions of this input."""
    reasons_for: ReasonsFor | None = None
    """Who gets reasons; by default declined applications, and no one of a book."""
    notices: bool = False
    """Write the policy's notices to declined applicants beside the decisions."""
    features_kept: int = 20_000
    """Rows whose features are stored for replay: all of a smaller table, a sample of a larger one."""
    engine: BatchEngine = BatchEngine.processes
    """Where the parts are scored."""
    threads: int = 2
    """Parts scored at once, in a process each."""
    memory: str = "2GB"
    """Memory limit of Spark's Java."""
    spark: SparkSettings = field(default_factory=SparkSettings)
    """Which Spark, with engine=spark."""
