"""The line along which the periods of a reference move most, found for each period from the others."""

import numpy as np
from numpy.typing import NDArray

from pipelines.credit.psi_noise import Counts, Floats

STEPS = 20
"""Of power iteration. Where two lines are as good, either serves, so long as each period had no say in its own."""


def moves_of(reference: Counts) -> Floats:
    """Return each period's shares less the pooled ones, in roots of the pooled: shape (cells, periods, bins).

    Sampling moves them as much in every direction; a period's row times its length is its chi-square.
    """
    rows = reference.sum(axis=-1, keepdims=True)
    pooled = reference.sum(axis=1, keepdims=True)
    share = pooled / np.maximum(pooled.sum(axis=-1, keepdims=True), 1)
    away = reference / np.maximum(rows, 1) - share
    return np.asarray(np.divide(away, np.sqrt(share), out=np.zeros_like(away), where=share > 0) * (rows > 0))


def season_lines(moves: Floats, rows: Floats, columns: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return unit lines of shape (cells, periods, bins), period by period from all others, and (cells, bins) from all.

    A column's segments, `columns` of shape (cells,) tells whose, have one line: season is theirs together. `rows` has
    shape (cells, periods). Leaving a period with weight w out of the covariance takes w / (1 - w) of its square away:
    its own and what it moved the mean.
    """
    total = rows.sum(axis=1, keepdims=True)
    weight = rows / np.maximum(total - rows, 1) * total
    lines, line = np.zeros_like(moves), np.zeros_like(moves[:, 0])
    for column in range(int(columns.max()) + 1):
        cells = columns == column
        by_period, per_row = moves[cells].transpose(1, 0, 2), rows[cells].T[..., None]
        left_out = by_period.transpose(0, 2, 1) @ (weight[cells].T[..., None] * by_period)
        whole = (by_period.transpose(0, 2, 1) @ (per_row * by_period)).sum(axis=0)
        lines[cells], line[cells] = _first_line(whole - left_out), _first_line(whole)
    return lines, line


def _first_line(covariance: Floats) -> Floats:
    """Return the unit eigenvector of the largest eigenvalue, shape (..., bins); zero where nothing moves."""
    largest = np.diagonal(covariance, axis1=-2, axis2=-1).argmax(axis=-1)
    line = np.take_along_axis(covariance, largest[..., None, None], axis=-1)
    for _ in range(STEPS):
        length = np.linalg.norm(line, axis=-2, keepdims=True)
        line = covariance @ np.divide(line, length, out=np.zeros_like(line), where=length > 0)
    length = np.linalg.norm(line, axis=-2, keepdims=True)
    return np.asarray(np.divide(line, length, out=np.zeros_like(line), where=length > 0)[..., 0])
