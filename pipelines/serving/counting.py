"""What decisions of the service look like in the frozen bins of their model's reference profile."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.batch.counting import profile_of_part
from pipelines.candidates.portable_model import columns_of
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.profiles.window_profile import WindowProfile
from pipelines.scoring.scorer import DECISIONS, ScoredApplications
from pipelines.serving.champion import Features
from pipelines.serving.deciding import DecisionRow, Journalled


@dataclass(frozen=True)
class Version:
    """What is known of a model version that decided: its features, and what its world looked like where it tells."""

    features: Features
    reference: ReferenceProfile | None


def profile_of_records(records: Sequence[Journalled], frame: pd.DataFrame, version: Version) -> WindowProfile:
    """Return the counts of decisions, given the frame of the features that they were made on, row by row."""
    kinds = version.features
    numeric, categorical = ([name for name in kinds if kinds[name] is kind] for kind in (True, False))
    groups = {place: one.groups for place, one in enumerate(records) if one.groups}
    columns = columns_of(frame, numeric, categorical)
    return profile_of_part(version.reference, columns, _answers([one.row for one in records]), groups, None)


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
