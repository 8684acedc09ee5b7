"""The settings of the verb demo: the schema behind conf/demo.yaml."""

from dataclasses import dataclass

from omegaconf import MISSING

from pipelines.applications.settings import DataSettings
from pipelines.command.verb import VerbSettings


@dataclass
class DemoSettings(VerbSettings):
    """`data` is the real german_credit or the simulated marketplace.

    `seed` draws what is drawn and starts the searches; `trials` is the length of each search, by default one that takes
    about a minute.
    """

    data: DataSettings = MISSING
    seed: int = 0
    trials: int | None = None
