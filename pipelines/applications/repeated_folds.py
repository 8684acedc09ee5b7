"""Repeats a stratified cross-validation: with few applications, luck decides what one division into folds prefers."""

import numpy as np
from numpy.typing import NDArray

from pipelines.applications.splits import Fold, Split
from pipelines.applications.twins import Twins

FEW_ROWS = 5000
"""With fewer rows in the development part a cross-validation is repeated."""

REPEATS = 5
"""So many divisions of few rows are used, the first being the split's own."""


def repeated_folds(split: Split, bad: NDArray[np.int8], *, seed: int) -> tuple[Fold, ...]:
    """Return the folds of a stratified split and those of its repeats, one division after the other.

    `bad`, shape (n,), are the outcomes of the development part. Twins stay on one side. Larger parts are not repeated.
    """
    from sklearn.model_selection import StratifiedKFold

    if len(bad) >= FEW_ROWS:
        return split.folds
    number, twins = len(split.folds), None if split.twins is None else split.twins.take(split.development)
    repeated = list(split.folds)
    for repeat in range(1, REPEATS):
        folds = StratifiedKFold(number, shuffle=True, random_state=seed + 1000 * repeat).split(bad, bad)
        drawn = _numbered([held_out for _, held_out in folds], len(bad), twins)
        divided = [Fold(np.flatnonzero(drawn != one), np.flatnonzero(drawn == one)) for one in range(number)]
        if all(len(np.unique(bad[rows])) == 2 for fold in divided for rows in (fold.fit, fold.held_out)):
            repeated += divided
    return tuple(repeated)


def _numbered(parts: list[NDArray[np.intp]], rows: int, twins: Twins | None) -> NDArray[np.intp]:
    """Return the number of the part of each row; twins have that of the first of them."""
    number = np.empty(rows, np.intp)
    for one, held_out in enumerate(parts):
        number[held_out] = one
    return number if twins is None else twins.as_first(number)
