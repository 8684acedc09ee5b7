"""The key of a part of the score log, and the ids of its decisions."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.population import Population
from pipelines.errors import RequestError
from pipelines.score_log.columns import DECISION, SHADOW


@dataclass(frozen=True)
class LogKey:
    """What a part of the log is about: one model version, one population, one period (YYYY-MM).

    The shadow scores of a version, which decide nothing, lie apart from what it decided.
    """

    model: str
    version: int
    population: Population
    period: str
    role: str = DECISION

    def folder(self, kind: Path) -> Path:
        """Return the folder of this key among the decisions, features or protected attributes."""
        parts = {
            "model": self.model,
            "version": f"{self.version}.{SHADOW}" if self.role == SHADOW else self.version,
            "population": self.population.value,
            "period": self.period,
        }
        return kind.joinpath(*(f"{name}={value}" for name, value in parts.items()))

    @property
    def columns(self) -> dict[str, object]:
        """The columns of the log that all decisions of a key share."""
        return {
            "population": self.population.value,
            "period": self.period,
            "model": self.model,
            "model_version": self.version,
            "role": self.role,
        }

    @classmethod
    def of_folder(cls, folder: Path, kind: Path) -> Self:
        """Return the key of a folder below the decisions, features or protected attributes."""
        parts = dict(part.split("=", 1) for part in folder.relative_to(kind).parts)
        version, _, role = parts["version"].partition(".")
        return cls(parts["model"], int(version), Population(parts["population"]), parts["period"], role or DECISION)


def decision_ids(key: LogKey, model_hash: str, application_ids: NDArray[np.str_]) -> list[str]:
    """Return an id per decision; it depends only on the model, the population, the period and the application."""
    prefix = id_prefix(key, model_hash)
    return [hashlib.sha256(f"{prefix}{one}".encode()).hexdigest()[:32] for one in application_ids]


def id_prefix(key: LogKey, model_hash: str) -> str:
    """Return what is hashed before the application's id: the model, the population and the period."""
    shadow = f"{SHADOW}/" if key.role == SHADOW else ""
    return f"{model_hash}/{shadow}{key.population.value}/{key.period}/"


def is_sampled(decision_id: str, share: float) -> bool:
    """Return whether the features of a decision belong to a sample of that share: its id, a hash, is small enough.

    >>> is_sampled("0fffffffffffffff0000000000000000", 0.1), is_sampled("ff00000000000000a000000000000000", 0.1)
    (True, False)
    """
    return share >= 1 or int(decision_id[:16], 16) < int(share * 2**64)


def check_period(period: str, setting: str = "period") -> None:
    """Raise RequestError unless a period is a month; `setting` is where it was given."""
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", period):
        raise RequestError(
            f"{setting} must be a month such as 2026-10, received '{period}'; write the year, a hyphen and a month "
            "from 01 to 12"
        )
