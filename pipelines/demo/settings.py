"""The settings of the verb demo: the schema behind conf/demo.yaml."""

from dataclasses import dataclass

from omegaconf import MISSING

from pipelines.applications.settings import DataSettings
from pipelines.command.verb import VerbSettings


@dataclass
class DemoSettings(VerbSettings):
    """Settings of `thinfile demo`."""

    data: DataSettings = MISSING
    """Real German credit data, or a simulated marketplace."""
    seed: int = 0
    """Seed of all draws and searches."""
    trials: int | None = None
    """Trials of each search; by default as many as take about a minute."""
