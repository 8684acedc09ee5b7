"""A configuration that an earlier study found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class WarmStart:
    """A trial of an earlier study, by the study's identity and the trial's number, with its family and parameters."""

    study: str
    trial: int
    family: str
    parameters: Mapping[str, Any]
