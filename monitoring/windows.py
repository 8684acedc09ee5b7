"""Which decisions a report is about: one period of the score log, with the columns that a profile counts."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from pipelines.errors import RequestError
from pipelines.reference_profile import SCORE, ReferenceProfile
from pipelines.score_log import LogKey, ScoreLog


@dataclass(frozen=True)
class Window:
    """The decisions of one key of the score log, and the features that they were made on, row by row."""

    key: LogKey
    decisions: pd.DataFrame
    features: pd.DataFrame

    def __len__(self) -> int:
        return len(self.decisions)

    def columns(self, profile: ReferenceProfile) -> dict[str, NDArray[Any]]:
        """Return the columns that a profile counts: points as float64, numbers as float64, levels as text or None."""
        found: dict[str, NDArray[Any]] = {}
        for bins in profile.bins:
            values = self.decisions["points"] if bins.column == SCORE else self.features[bins.column]
            if bins.edges is not None:
                found[bins.column] = values.to_numpy(dtype=float)
            else:
                found[bins.column] = values.astype(object).where(values.notna(), None).to_numpy()
        return found


def open_window(log: ScoreLog, key: LogKey, profile: ReferenceProfile) -> Window:
    """Return the window of a period.

    Raises:
        RequestError: nothing was scored in that period, or another population than the reference's.
    """
    if key.population is not profile.population:
        raise RequestError(
            f"a window is compared with a reference of its own population, received '{key.population.value}' against "
            f"'{profile.population.value}'; watch population={profile.population.value}"
        )
    decisions = log.decisions(key)
    if decisions.empty:
        known = ", ".join(log.periods(key.model, key.version, key.population)) or "none"
        raise RequestError(
            f"{key.model} version {key.version} scored nothing in {key.period} (scored: {known}); "
            "run `thinfile score` for the period or name another"
        )
    features = decisions[["decision_id"]].merge(log.features(key), on="decision_id", how="left", validate="1:1")
    return Window(key, decisions, features.drop(columns="decision_id"))
