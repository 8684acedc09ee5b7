"""The settings of the verb compare: the schema behind conf/compare.yaml."""

from dataclasses import dataclass

from pipelines.command.verb import VerbSettings


@dataclass
class CompareSettings(VerbSettings):
    """`model` is the name in the registry."""

    model: str = "credit_score"
