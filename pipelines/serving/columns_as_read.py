"""The features of requests as a table of the model is read: some texts are missing, special codes are split."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.reading.reading import Reading
from pipelines.reading.special import code_column, split_codes


def as_read(columns: dict[str, NDArray[Any]], reading: Reading) -> dict[str, NDArray[Any]]:
    """Return columns of numbers, and of text or None: empty texts are missing, and the words that a model declares."""
    found = dict(columns)
    for name, values in columns.items():
        are_texts = values.dtype == object
        if are_texts:
            missing = np.isin(values.astype(str), ("", *reading.nulls))
        elif reading.nulls:
            missing = np.isin(values, reading.null_numbers)
        else:
            continue
        if missing.any():
            found[name] = values.copy()
            found[name][missing] = None if are_texts else np.nan
    for name, codes in reading.special.items():
        if name in found:
            found[name], found[code_column(name)] = split_codes(found[name], codes)
    return found
