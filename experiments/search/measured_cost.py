"""The processor time that scoring a row takes on this machine, beside the cost that follows from a model's size."""

import time

import numpy as np
from numpy.typing import NDArray

from pipelines.candidates.portable_model import Columns, Levels, Model, levels_of
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import MEASURED_COST

ROWS = 50_000
"""So many rows are scored at a time, as in a batch: numpy's calls cost little beside them."""

RUNS, ENOUGH_SECONDS = 3, 1.5
"""An expensive model is measured once."""


def measured_cost(model: Model, columns: Columns) -> float:
    """Return the microseconds of processor time that a row takes in a batch, the least of several runs.

    The rows are repeated up to `ROWS`. The threads of a model's library count with all that they use, so that this is
    the time on one core.
    """
    rows = len(next(iter(columns.values())))
    index = np.resize(np.arange(rows), ROWS)
    batch: Columns = {name: _as_read(columns[name], index) for name in model.numeric}
    batch = {**batch, **{name: _levels(columns[name], index) for name in model.categorical}}
    seconds: list[float] = []
    while len(seconds) < RUNS and sum(seconds) < ENOUGH_SECONDS:
        began = time.process_time()
        model.probability_of_bad(batch)
        seconds.append(time.process_time() - began)
    return min(seconds) / ROWS * 1e6


def measured_cost_of(version: RegisteredModel) -> float | None:
    """Return the microseconds of processor time per row as measured when a version was registered."""
    measured = version.tags.get(MEASURED_COST)
    return None if measured is None else float(measured)


def cost_lines(cost: float | None, measured: float | None) -> list[str]:
    """Return a line with what scoring a row costs by the size of a model, where it is known, and as measured.

    >>> cost_lines(7.148, 8.021)
    ['  7.15 microseconds per row on one core by its size; measured: 8.02']
    """
    if cost is None:
        return []
    beside = "" if measured is None else f"; measured: {measured:.3g}"
    return [f"  {cost:.3g} microseconds per row on one core by its size{beside}"]


def _as_read(values: object, index: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.asarray(values, np.float64)[index]


def _levels(values: object, index: NDArray[np.intp]) -> Levels:
    """Return a column of texts as a batch reads it: numbers that stand for the levels."""
    levels = values if isinstance(values, Levels) else levels_of(values)
    return Levels(levels.codes[index], levels.names)
