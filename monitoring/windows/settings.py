"""The settings of windows and references."""

from dataclasses import dataclass
from enum import Enum

DEVELOPMENT = "development"
"""The reference that a model was registered with."""


class WindowKind(Enum):
    """Which decisions a report is about: those of one period, of the last `months`, or of all that the version made."""

    period = "period"
    rolling = "rolling"
    since_promotion = "since_promotion"


@dataclass
class WindowSettings:
    """Which decisions a report is about and what they are compared with; a part of the settings of the verb watch.

    `months` is the length of a rolling window. `reference` is the model's development, a period of the score log, or
    several (2025-01..2025-12). `today` (YYYY-MM-DD) decides which months are over, by default the calendar does.
    """

    window: WindowKind = WindowKind.period
    months: int = 3
    reference: str = DEVELOPMENT
    today: str | None = None
