"""How long a search may take: a number of trials, a time, or both."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from experiments.experiment.recorded_settings import FAMILY
from experiments.experiment.settings import TuneSettings
from experiments.search.trial_result import SECONDS as TRIAL_SECONDS
from experiments.search.trial_result import TREES, TrialResult
from pipelines.errors import ConfigurationError

SECONDS = {"s": 1, "m": 60, "h": 3600}

DEFAULT_TRIALS = 30

PARTS_OF_FINAL = 4
"""The final model is fitted from about so many configurations, each of another family."""

AVERAGE_OF_FINAL, MODEL_OF_FINAL = 1.5, 0.5
"""Fitting and calibrating an average, or a single model, for the final model takes about so many times its trial."""

AFTERWARDS = 6.0
"""Seconds to write, evaluate and register the final model."""


def seconds_of(text: str) -> float:
    """Return a duration in seconds.

    Raises:
        ConfigurationError: it is not written as numbers with the units h, m and s.

    >>> seconds_of("1h30m"), seconds_of("90s")
    (5400.0, 90.0)
    """
    parts = re.findall(r"([0-9.]+) *([hms])", text)
    is_whole = "".join(number + unit for number, unit in parts) == text.replace(" ", "")
    try:
        seconds = sum(float(number) * SECONDS[unit] for number, unit in parts) if is_whole else 0.0
    except ValueError:  # not a number: 1.2.3s
        seconds = 0.0
    if not seconds:
        raise ConfigurationError(f"time is '{text}'; write a duration such as 90s, 10m or 1h30m")
    return seconds


def budget_of(settings: TuneSettings) -> "Budget":
    """Return the budget of a search that starts now."""
    if settings.time is None:
        return Budget(settings.trials or DEFAULT_TRIALS, None)
    return Budget(settings.trials, time.monotonic() + seconds_of(settings.time))


@dataclass(frozen=True)
class Budget:
    """The number of trials and the moment at which all is to be done (`time.monotonic`); None is no bound."""

    trials: int | None
    deadline: float | None

    def is_over(self, finished: Sequence[TrialResult]) -> bool:
        """Return whether the time that is left is too short for one more trial and the final model."""
        if self.deadline is None or not finished:
            return False
        one_more = fmean(map(_seconds, finished))
        return time.monotonic() + one_more + _reserve(finished) >= self.deadline

    def left(self, finished: Sequence[TrialResult]) -> float | None:
        """Return the seconds until the search ends."""
        if self.deadline is None:
            return None
        return max(self.deadline - time.monotonic() - (_reserve(finished) if finished else AFTERWARDS), 0.0)


def _reserve(finished: Sequence[TrialResult]) -> float:
    best: dict[Any, TrialResult] = {}
    for trial in sorted(finished, key=lambda one: one.rank):
        best.setdefault(trial.parameters.get(FAMILY), trial)
    return AFTERWARDS + sum(map(_seconds_of_final, list(best.values())[:PARTS_OF_FINAL]))


def _seconds_of_final(trial: TrialResult) -> float:
    return _seconds(trial) * (MODEL_OF_FINAL if trial.notes.get(TREES) is None else AVERAGE_OF_FINAL)


def _seconds(trial: TrialResult) -> float:
    return float(trial.notes.get(TRIAL_SECONDS, 0.0))
