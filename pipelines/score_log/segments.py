"""The segments of decisions as columns of the score log."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from pipelines.candidates.portable_model import Levels
from pipelines.profiles.dimensions import segment_name


def segment_columns(segments: Mapping[str, Levels]) -> dict[str, pa.Array]:
    """Return the columns of n decisions, given the values of each dimension.

    `segments` lists the names of a row's segments (`channel=web`). `segment` has the value alone where there is one
    dimension, as in earlier versions.
    """
    if not segments:
        return {}
    columns = {"segments": _lists(segments)}
    if len(segments) == 1:
        (levels,) = segments.values()
        codes = levels.codes.astype(np.int32, copy=False)
        indices = pa.array(codes, mask=codes < 0)
        columns["segment"] = pa.DictionaryArray.from_arrays(indices, pa.array(list(levels.names), pa.string()))
    return columns


def _lists(segments: Mapping[str, Levels]) -> pa.Array:
    names: list[str] = []
    codes = []
    for dimension, levels in segments.items():
        codes.append(np.where(levels.codes < 0, -1, levels.codes + len(names)))
        names += [segment_name(dimension, value) for value in levels.names]
    by_row = np.stack(codes, axis=1)
    present = by_row >= 0
    offsets = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int32)
    values = pa.DictionaryArray.from_arrays(pa.array(by_row[present].astype(np.int32)), pa.array(names, pa.string()))
    return pa.ListArray.from_arrays(pa.array(offsets), values.cast(pa.string()))
