"""The settings of drift thresholds."""

from dataclasses import dataclass


@dataclass
class ThresholdSettings:
    """When a move is watched or acted on (see `monitoring.thresholds.thresholds.Thresholds`).

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
