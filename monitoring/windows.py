"""Which decisions a report is about: one period of the score log, with the counts that are compared with a profile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.decision_tally import Tally
from pipelines.errors import RequestError
from pipelines.reference_profile import SCORE, ReferenceProfile
from pipelines.score_log import LogKey, ScoreLog
from pipelines.window_profile import name_of_bins


@dataclass(frozen=True)
class Window:
    """The decisions of one key of the score log: how many, their counts in the bins of a profile, by column.

    `features` are those that the decisions were made on, of a large table a sample of its rows.
    """

    key: LogKey
    rows: int
    counts: Mapping[str, NDArray[np.int64]]
    features: pd.DataFrame

    def __len__(self) -> int:
        return self.rows


def open_window(log: ScoreLog, key: LogKey, profile: ReferenceProfile) -> Window:
    """Return the window of a period.

    What was counted when it was written is added up; only partitions without such counts are read row by row.

    Raises:
        RequestError: nothing was scored in that period, or another population than the reference's, or what is needed
            of its features was not kept.
    """
    if key.population is not profile.population:
        raise RequestError(
            f"a window is compared with a reference of its own population, received '{key.population.value}' against "
            f"'{profile.population.value}'; watch population={profile.population.value}"
        )
    total = Tally()
    for partition in log.partitions(key):
        total += _tally(log, key, partition, profile)
    if not total.rows:
        known = ", ".join(log.periods(key.model, key.version, key.population)) or "none"
        raise RequestError(
            f"{key.model} version {key.version} scored nothing in {key.period} (scored: {known}); "
            "run `thinfile score` for the period or name another"
        )
    return Window(key, total.rows, total.columns, log.features(key).drop(columns="decision_id"))


def counted_columns(
    profile: ReferenceProfile, decisions: pd.DataFrame, features: pd.DataFrame
) -> dict[str, NDArray[Any]]:
    """Return the columns that a profile counts: points as float64, numbers as float64, levels as text or None."""
    found: dict[str, NDArray[Any]] = {}
    for bins in profile.bins:
        values = decisions["points"] if bins.column == SCORE else features[bins.column]
        if bins.edges is not None:
            found[bins.column] = values.to_numpy(dtype=float)
        else:
            found[bins.column] = values.astype(object).where(values.notna(), None).to_numpy()
    return found


def _tally(log: ScoreLog, key: LogKey, partition: str, profile: ReferenceProfile) -> Tally:
    """Return the counts of a partition: those beside it, or those of its rows where there are none in these bins."""
    written = log.profile(key, partition)
    if written is not None and written.bins == name_of_bins(profile):
        return written.overall
    decisions, features = log.part(key, partition)
    if decisions.empty:
        return Tally()
    if len(features) < len(decisions):
        raise RequestError(
            f"a window is counted in the bins of the model's reference profile, partition {partition} of {key.period} "
            "was counted in others and of its features a sample is kept; restore the profile that it was scored with"
        )
    features = decisions[["decision_id"]].merge(features, on="decision_id", how="left", validate="1:1")
    columns = counted_columns(profile, decisions, features)
    return Tally(len(decisions), {bins.column: bins.count(columns[bins.column]) for bins in profile.bins})
