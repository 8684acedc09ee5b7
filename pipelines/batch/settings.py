"""The settings of the verb score: the schema behind conf/score.yaml."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from pipelines.applications.settings import DataSettings
from pipelines.command.verb import VerbSettings
from pipelines.credit.population import Population
from pipelines.policy.pack import PolicySettings


class ReasonsFor(Enum):
    """Who gets reasons: those who are not approved, or nobody."""

    declined = "declined"
    nobody = "nobody"


class BatchEngine(Enum):
    """What scores the parts of a table: processes of this machine, or Spark's executors."""

    processes = "processes"
    spark = "spark"


@dataclass
class ScoreSettings(VerbSettings):
    """`period` is the month the decisions belong to (YYYY-MM); `model` the name in the registry.

    `input` is a Parquet file, or a folder of them, that is scored part by part; it stands for data.path. `reasons_for`
    says who gets reasons, by default the declined of the applications and nobody of a rescored book; with `notices`
    what the policy pack has them told is written beside the decisions. Features are kept beside them for replay: all of
    a table of up to `features_kept` rows, a sample of about so many of a larger one that is scored part by part.
    `threads` parts are scored at once, in a process each; `memory` bounds Spark's Java.
    """

    data: DataSettings = MISSING
    period: str = MISSING
    population: Population = Population.applications
    model: str = "credit_score"
    policy: PolicySettings = field(default_factory=PolicySettings)
    input: str | None = None
    reasons_for: ReasonsFor | None = None
    notices: bool = False
    features_kept: int = 20_000
    engine: BatchEngine = BatchEngine.processes
    threads: int = 2
    memory: str = "2GB"
