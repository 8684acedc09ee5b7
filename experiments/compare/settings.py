"""The settings of the verb compare: the schema behind conf/compare.yaml."""

from dataclasses import dataclass

from pipelines.command.verb import VerbSettings


@dataclass
class CompareSettings(VerbSettings):
    """Settings of `thinfile compare`."""

    model: str = "credit_score"
    """Name in the registry."""
    study: str | None = None
    """Study to show: its id as `thinfile compare` lists it, the beginning of one, or its name in optuna-dashboard."""
