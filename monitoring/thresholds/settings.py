"""The settings of drift thresholds."""

from dataclasses import dataclass


@dataclass
class ThresholdSettings:
    """When a move reaches watch or act level."""

    watch_psi: float = 0.1
    """PSI from which a move reaches watch level."""
    watch_rate: float = 0.05
    """False discovery rate of watch level."""
    act_psi: float = 0.25
    """PSI from which a move reaches act level."""
    act_rate: float = 0.01
    """False discovery rate of act level."""
    persist: int = 2
    """Periods in a row at watch level that make act level."""
    blind: float = 0.5
    """PSI that sampling alone may reach; a segment above it is too small to compare."""
