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
    """Which decisions a report is about and what they are compared with; a part of the settings of the verb watch."""

    window: WindowKind = WindowKind.period
    """Decisions of one period, of the last `months`, or of all that the version made."""
    months: int = 3
    """Length of a rolling window."""
    reference: str = DEVELOPMENT
    """What the window is compared with: `development`, a month, or months (2025-01..2025-12)."""
    today: str | None = None
    """Date that decides which months are over (YYYY-MM-DD); by default the calendar."""
