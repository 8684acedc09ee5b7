"""The levels of columns and the segments that vanished from a window or appeared in it."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from monitoring.thresholds.level_shares import levels_of_column
from monitoring.thresholds.share_changes import ShareChange, changed_shares
from monitoring.windows.references import Reference
from pipelines.profiles.decision_tally import Tally
from pipelines.profiles.dimensions import bare_name
from pipelines.profiles.window_profile import WindowProfile


def changed_levels(reference: Reference, current: WindowProfile, sample: pd.DataFrame) -> list[ShareChange]:
    """Return the levels of text columns, and the segments, that vanished or appeared.

    `sample` has rows of the window, perhaps none; the name of a value that the reference lacks is known from them.
    """
    tallies = [one for one in reference.overall.values() if one.columns]
    changes: list[ShareChange] = []
    for bins in reference.profile.bins:
        now = current.overall.columns.get(bins.column)
        if bins.edges is None and now is not None and tallies:
            before = np.array([one.columns[bins.column] for one in tallies])
            values = sample[bins.column] if bins.column in sample else pd.Series(dtype=object)
            changes += levels_of_column(bins, before, now, values)
    return [*changes, *_segments(reference, current)]


def _segments(reference: Reference, current: WindowProfile) -> Iterator[ShareChange]:
    """Yield segments, each among those of its dimension, where the dimension is no column that was compared."""
    segments = [name for name in sorted({*reference.segments, *current.segments}) if "=" in name]
    columns = {one.column for one in reference.profile.bins if one.edges is None}
    for dimension in sorted({name.partition("=")[0] for name in segments} - columns):
        names = [name for name in segments if name.partition("=")[0] == dimension]
        tallies = [reference.of_segment(name) for name in names]
        periods = sorted({period for one in tallies for period in one})
        before = np.array([[one.get(period, Tally()).rows for one in tallies] for period in periods])
        now = np.array([current.segments.get(name, Tally()).rows for name in names])
        if before.size:
            yield from changed_shares(dimension, [*map(bare_name, names)], before, now, is_segment=True)
