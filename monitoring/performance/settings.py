"""What a user can set about performance with late labels."""

from dataclasses import dataclass


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
