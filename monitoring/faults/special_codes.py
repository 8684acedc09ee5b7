"""Special codes are not missing values: a column with such codes is compared by its amounts alone.

A column with special codes is counted twice: as numbers, where codes are in the bin of missing values, and as a
category of its codes, whose bin of missing values has only the rows without any value. Missing values are found there.
"""

from collections.abc import Collection

import numpy as np

from monitoring.faults.observed import MISSING, Counts
from pipelines.profiles.column_names import feature_named, profile_column
from pipelines.reading.special import code_column


def amounts(column: str, counts: Counts, columns: Collection[str]) -> Counts:
    """Return the counts of one of the columns, of its amounts alone where another one has its special codes."""
    own = np.array(counts, dtype=np.int64)
    if profile_column(code_column(feature_named(column))) in columns:
        own[MISSING] = 0
    return own
