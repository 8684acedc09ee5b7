"""The settings of the verb watch: the schema behind conf/watch.yaml."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from monitoring.alarms.settings import AlarmPolicySettings
from monitoring.outcomes.settings import OutcomeSettings
from monitoring.thresholds.settings import ThresholdSettings
from monitoring.windows.settings import WindowSettings
from pipelines.command.verb import VerbSettings
from pipelines.credit.population import Population
from pipelines.profiles.settings import ProfileEngine


class WatchAction(Enum):
    """What `thinfile watch` does; without a word it reports."""

    report = "report"
    acknowledge = "acknowledge"
    alarms = "alarms"
    verify = "verify"


@dataclass
class TableSettings:
    """Which columns of a table that was scored elsewhere are for what, and how it is read (see `TableRoles`).

    `score` is what decisions were made by, points or a probability; `pd` the probability of bad where points stand for
    one. `categorical` are whole numbers that are codes, `ignored` such as ids. Every other column is a feature.
    """

    score: str = "points"
    pd: str | None = None
    segment: str | None = None
    band: str | None = None
    decision: str | None = None
    categorical: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    engine: ProfileEngine = ProfileEngine.threads
    threads: int = 2
    memory: str = "4GB"


@dataclass
class WatchSettings(WindowSettings, VerbSettings):
    """`period` is the month to look at; `version` the model version that scored it, by default the champion.

    With `input` a table that was scored elsewhere is looked at instead of the score log, and compared with that in
    `reference_input`; each is a Parquet file, a folder of them, or the profile that an earlier report kept.

    `sample` bounds the rows that Evidently's own exploration is given.

    `alarms` says what an alarm does. `watch acknowledge` is about the last alarm of `period`: `by` whom it was seen, by
    default by whose account runs the command, and `why`, which is kept for ever.
    """

    period: str = MISSING
    model: str = "credit_score"
    version: int | None = None
    population: Population = Population.applications
    input: str | None = None
    reference_input: str | None = None
    table: TableSettings = field(default_factory=TableSettings)
    thresholds: ThresholdSettings = field(default_factory=ThresholdSettings)
    outcomes: OutcomeSettings = field(default_factory=OutcomeSettings)
    sample: int = 5000
    alarms: AlarmPolicySettings = field(default_factory=AlarmPolicySettings)
    action: WatchAction = WatchAction.report
    by: str | None = None
    why: str = ""
