"""What a user can set about monitoring: the schema behind conf/watch.yaml."""

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from monitoring.alarms.settings import AlarmPolicySettings
from monitoring.performance.settings import PerformanceSettings
from pipelines.profiling.settings import ProfileEngine
from pipelines.settings import Population
from pipelines.verb import VerbSettings

DEVELOPMENT = "development"
"""The reference that a model was registered with."""


class WindowKind(Enum):
    """Which decisions a report is about: those of one period, of the last `months`, or of all that the version made."""

    period = "period"
    rolling = "rolling"
    since_promotion = "since_promotion"


@dataclass
class ThresholdSettings:
    """When a move is watched or acted on (see `monitoring.comparison.thresholds.Thresholds`).

    A column's PSI counts from a floor on, beyond what sampling leaves on average, and from a false discovery rate down.
    Watched in `persist` periods in a row is acted on. Where sampling alone may leave a PSI of `blind`, a segment is too
    small to tell.
    """

    watch_psi: float = 0.1
    watch_rate: float = 0.05
    act_psi: float = 0.25
    act_rate: float = 0.01
    persist: int = 2
    blind: float = 0.5


@dataclass
class OutcomeSettings:
    """Where outcomes come from: a prepared `marketplace` below the lake, or flat tables of ids and outcomes.

    `table` and `early_table` hold an application's id in `id` and its outcome in `bad` (1, 0, empty where it is not
    known yet), by the definition that the PD is about, and by an earlier one. Of a marketplace `early` names the
    definition of the early read, `full` that of the PD. `as_of` is the date until which outcomes are known, by default
    the end of the window.
    """

    marketplace: str | None = None
    early: str = "dpd30_at_3_mob"
    full: str = "dpd90_in_12_months"
    table: str | None = None
    early_table: str | None = None
    id: str = "application_id"
    bad: str = "bad"
    as_of: str | None = None
    performance: PerformanceSettings = field(default_factory=PerformanceSettings)


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
class WatchSettings(VerbSettings):
    """`period` is the month to look at; `version` the model version that scored it, by default the champion.

    With `input` a table that was scored elsewhere is looked at instead of the score log, and compared with that in
    `reference_input`; each is a Parquet file, a folder of them, or the profile that an earlier report kept.

    `reference` is the model's development, a period of the score log, or some (2025-01..2025-12). `sample` bounds the
    rows that Evidently's own exploration is given. `today` (YYYY-MM-DD) says which months are over, by default the
    calendar does.

    `alarms` says what an alarm does. `watch acknowledge` is about the last alarm of `period`: `by` whom it was seen, by
    default by whose account runs the command, and `why`, which is kept for ever.
    """

    period: str = MISSING
    model: str = "credit_score"
    version: int | None = None
    population: Population = Population.applications
    window: WindowKind = WindowKind.period
    months: int = 3
    reference: str = DEVELOPMENT
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
    today: str | None = None
