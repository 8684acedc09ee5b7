"""The reference profile of a model's development: counts of its score and features, month by month."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.credit.population import Population
from pipelines.profiles.column_names import profile_column
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.frozen_bins import FrozenBins, times_of
from pipelines.profiles.missing_given import missing_given
from pipelines.profiles.reference_profile import ANY_TIME, SCORE, ReferenceProfile
from pipelines.profiles.score_counts import ScoreCounts
from pipelines.profiles.unseen import without_singles


def profile_of(
    points: NDArray[np.int64],
    probability: NDArray[np.float64],
    features: pd.DataFrame,
    numeric: Sequence[str],
    population: Population,
    times: NDArray[np.datetime64] | None = None,
) -> ReferenceProfile:
    """Return the profile of applications that the model was not fitted on: their points, PDs, features and times."""
    values: dict[str, NDArray[Any]] = {SCORE: points.astype(np.float64)}
    values |= {profile_column(str(column)): features[column].to_numpy() for column in features}
    numbers = {SCORE, *map(profile_column, numeric)}
    levels = {column: times_of(column_values) for column, column_values in values.items() if column not in numbers}
    bins = tuple(
        FrozenBins.of_numbers(column, column_values)
        if column in numbers
        else FrozenBins.of_times(column, levels[column], len(points))
        for column, column_values in values.items()
    )
    own = [without_singles(one, levels.get(one.column, {})) for one in bins]
    by_period = {}
    for period, rows in _by_month(times, len(points)).items():
        counted = {one.column: one.count(values[one.column][rows]) for one in own}
        by_period[period] = Tally(len(rows), counted, scores=ScoreCounts.of(points[rows], probability[rows]))
    total = sum(by_period.values(), Tally())
    counts = {one.column: tuple(total.columns[one.column].tolist()) for one in bins}
    return ReferenceProfile(len(points), population, bins, counts, by_period, missing_given(bins, values))


def _by_month(times: NDArray[np.datetime64] | None, rows: int) -> dict[str, NDArray[np.intp]]:
    """Return the rows of each month in its order; of all months at once where a time is missing."""
    if times is None or np.isnat(times).any():
        return {ANY_TIME: np.arange(rows)}
    months = times.astype("datetime64[M]")
    return {str(month): np.flatnonzero(months == month) for month in np.unique(months)}
