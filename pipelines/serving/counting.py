"""Counts the decisions of the service in the frozen bins of their model's reference profile."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipelines.batch.counting import profile_of_part
from pipelines.candidates.portable_model import Levels, columns_of, levels_of
from pipelines.profiles.dimensions import Dimension
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.profiles.segments import MOST_SEGMENTS
from pipelines.profiles.window_profile import WindowProfile
from pipelines.reading.contract import ReadingContract
from pipelines.reading.json_values import JsonValue, read_numbers, read_texts
from pipelines.reading.special import split_codes
from pipelines.reading.values import Kind
from pipelines.scoring.scorer import DECISIONS, ScoredApplications
from pipelines.serving.decider import DecisionRow, Journalled

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Version:
    """A model version that made decisions: its columns, and its reference profile where it has one."""

    features: Mapping[str, bool]
    reference: ReferenceProfile | None
    dimensions: tuple[Dimension, ...] = ()
    contract: ReadingContract = field(default_factory=ReadingContract)


def segments_of_records(records: Sequence[Journalled], version: Version | None) -> dict[str, Levels]:
    """Return the segments of decisions by dimension: of the request's segments, or of its features."""
    if version is None:
        return {}
    values = {
        one: [record.segments.get(one.name, record.features.get(one.name)) for record in records]
        for one in version.dimensions
    }
    return {one.name: _levels(one, some, version.contract) for one, some in values.items()}


def _levels(dimension: Dimension, values: Sequence[JsonValue], contract: ReadingContract) -> Levels:
    """Return the segments of values, read as those of a table; what is not a number has no band."""
    kind, reading = contract.kind(dimension.name), contract.reading
    if dimension.edges is None:
        return levels_of(read_texts(values, kind, reading))
    numbers, _ = read_numbers(values, reading, flags=kind is Kind.flag)
    return dimension.cut(split_codes(numbers, reading.special.get(dimension.name, ()))[0])


def profile_of_records(
    records: Sequence[Journalled], frame: pd.DataFrame, version: Version, segments: Mapping[str, Levels]
) -> WindowProfile:
    """Return the counts of decisions, given the frame of the features that they were made on, row by row.

    A dimension with too many values is not counted, because a caller's values must not keep decisions out of the log.
    """
    kinds = version.features
    numeric, categorical = ([name for name in kinds if kinds[name] is kind] for kind in (True, False))
    groups = {row: one.groups for row, one in enumerate(records) if one.groups}
    columns = columns_of(frame, numeric, categorical)
    counted = {name: levels for name, levels in segments.items() if len(levels.names) <= MOST_SEGMENTS}
    for name in segments.keys() - counted.keys():
        logger.error("segment '%s' has more than %d values and is not counted", name, MOST_SEGMENTS)
    return profile_of_part(version.reference, columns, _answers([one.row for one in records]), groups, counted)


def _answers(rows: Sequence[DecisionRow]) -> ScoredApplications:
    band_names = tuple(sorted({row.band for row in rows}))
    return ScoredApplications(
        np.array([row.raw_score for row in rows]),
        np.array([row.pd for row in rows]),
        np.array([row.points for row in rows]),
        np.array([band_names.index(row.band) for row in rows]),
        np.array([DECISIONS.index(row.decision) for row in rows]),
        band_names,
    )
