"""The settings of outcomes: where they come from, and how performance is judged from them."""

from dataclasses import dataclass, field


@dataclass
class PerformanceSettings:
    """`confidence` is that of every interval and test of bands.

    Fewer bad or good loans than `least_of_each` have a bad rate, and no AUC, KS or test: they would say nothing.
    Outcomes contradict what was expected when chance does as much less often than `level`, which the tests of a report
    share (Bonferroni), and the effect is beyond a floor: the AUC by `ranking_floor`, the bad rate by the factor
    `level_floor`, either way. The first `yardstick_vintages` vintages tell what early outcomes to expect of a PD; with
    fewer than `least_vintages_for_level` of them a season would pass for a move of the level, which is not judged then.
    From a share of `reconcile_from` of the approved on, with known outcomes, estimates are set against the truth.
    """

    confidence: float = 0.95
    level: float = 0.01
    least_of_each: int = 20
    ranking_floor: float = 0.03
    level_floor: float = 1.25
    yardstick_vintages: int = 12
    least_vintages_for_level: int = 12
    reconcile_from: float = 0.5
    groups: int = 10


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
