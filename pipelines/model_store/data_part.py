"""A part of the data of a run, as MLflow lists it among the run's inputs."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class DataPart:
    """Where a part of the data comes from, its fingerprint, what it is used for, and its counts."""

    name: str
    fingerprint: str
    source: str
    use: str
    profile: Mapping[str, object]
