"""Counts the rows of a part in the frozen bins of the model's reference profile, overall and by segment."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Levels
from pipelines.errors import DataError
from pipelines.profiles.column_names import feature_named
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.dimensions import segment_name
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.profiles.reference_profile import SCORE, ReferenceProfile
from pipelines.profiles.score_counts import ScoreCounts
from pipelines.profiles.segments import MOST_SEGMENTS
from pipelines.profiles.window_profile import WindowProfile, name_of_bins
from pipelines.scoring.scorer import DECISIONS, ScoredApplications, select_rows

Groups = Mapping[int, Sequence[str]]
"""The groups of features that are the reasons of a row, by the number of the row."""


def profile_of_part(
    reference: ReferenceProfile | None,
    columns: Mapping[str, Any],
    answers: ScoredApplications,
    groups: Groups,
    segments: Mapping[str, Levels],
) -> WindowProfile:
    """Return the counts of a part; without a reference profile those of bands, decisions and reasons alone.

    Raises:
        DataError: a dimension of segments has more than MOST_SEGMENTS values.
    """
    bins = reference.bins if reference else ()
    name = name_of_bins(reference) if reference else ""
    counted = {one.column: columns[feature_named(one.column)] for one in bins if one.column != SCORE}
    overall = _tally(bins, counted, answers, groups.values())
    tallies = {}
    for dimension, levels in segments.items():
        for segment, rows in _rows_by_segment(dimension, levels):
            theirs = [groups[row] for row in rows if row in groups]
            tallies[segment] = _tally(bins, select_rows(counted, rows), _some(answers, rows), theirs)
    return WindowProfile(name, overall, tallies)


def _rows_by_segment(dimension: str, levels: Levels) -> Iterator[tuple[str, NDArray[np.intp]]]:
    order = np.argsort(levels.codes, kind="stable")
    bounds = np.searchsorted(levels.codes[order], np.arange(len(levels.names) + 1))
    rows = [
        (segment_name(dimension, name), order[low:high])
        for name, (low, high) in zip(levels.names, pairwise(bounds), strict=True)
        if low < high
    ]
    if len(rows) > MOST_SEGMENTS:
        raise DataError(
            f"data.segments names '{dimension}', which has {len(rows):,} values in one part of the input (such as "
            f"'{levels.names[0]}'), more than {MOST_SEGMENTS}; name a coarser column, or cut numbers into bands with "
            f"data.segment_bands.{dimension}=[...]"
        )
    return iter(rows)


def _some(answers: ScoredApplications, rows: NDArray[np.intp]) -> ScoredApplications:
    return ScoredApplications(
        answers.raw_score[rows],
        answers.pd[rows],
        answers.points[rows],
        answers.band_codes[rows],
        answers.decision_codes[rows],
        answers.band_names,
    )


def _tally(bins: Sequence[FrozenBins], columns: Mapping[str, Any], answers: ScoredApplications, groups: Any) -> Tally:
    values = {**columns, SCORE: answers.points.astype(np.float64)}
    return Tally(
        len(answers.points),
        {one.column: _count(one, values[one.column]) for one in bins},
        _named(answers.band_codes, answers.band_names),
        _named(answers.decision_codes, DECISIONS),
        Counter(group for some in groups for group in some),
        ScoreCounts.of(answers.points, answers.pd),
    )


def _count(bins: FrozenBins, values: Any) -> NDArray[np.int64]:
    if not isinstance(values, Levels):
        return bins.count(values)
    is_missing = values.codes < 0
    codes = values.codes[~is_missing] if is_missing.any() else values.codes
    times = np.bincount(codes, minlength=len(values.names)).tolist()
    return bins.count_levels(dict(zip(values.names, times, strict=True)), len(values.codes) - len(codes))


def _named(codes: NDArray[np.intp], names: Sequence[str]) -> Counter[str]:
    times = np.bincount(codes, minlength=len(names)).tolist()
    return Counter({name: number for name, number in zip(names, times, strict=True) if number})
