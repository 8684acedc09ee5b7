"""The types of arrays that the functions of this package take and return."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]
Wholes = NDArray[np.int64]
Times = NDArray[np.datetime64]

Outcomes = NDArray[np.int8]
"""1 is bad, 0 is good, and where outcomes may be unknown -1."""
