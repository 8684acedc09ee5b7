"""The settings of the verb demo (the schema behind conf/demo.yaml), and the data that a demo runs on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class DemoData:
    """`data` are the overrides of `thinfile tune`, the first of them the choice of data.

    `model` is the name in the registry, so that a user's own models stay as they are. `identity` are further overrides
    of `thinfile score`. `periods` describe how each month was drawn, `files` are its applications. `trials` is the
    length of a search of about a minute.
    """

    opening: str
    model: str
    data: Sequence[str]
    identity: Sequence[str]
    periods: Mapping[str, str]
    files: Mapping[str, Path]
    trials: int
