"""Repeated folds divide the same rows again, with both outcomes and with twins on one side."""

import numpy as np
import pandas as pd
import pytest

from pipelines.applications.repeated_folds import FEW_ROWS, REPEATS, repeated_folds
from pipelines.applications.settings import SplitSettings
from pipelines.applications.splits import split_applications
from tests.pipelines.applications.test_twins import applications


@pytest.mark.parametrize("seed", range(3))
def test_each_division_holds_out_every_row_once_and_keeps_twins_together(seed: int) -> None:
    random = np.random.default_rng(seed)
    features = pd.DataFrame({f"x{number}": random.normal(size=600) for number in range(3)})
    features.iloc[300:330] = features.iloc[:30].to_numpy()
    rows = applications(features, random.integers(0, 2, 600))
    split = split_applications(rows, SplitSettings(seed=seed))
    folds = repeated_folds(split, rows.outcomes[split.development], seed=seed)
    number = len(split.folds)
    assert len(folds) == REPEATS * number
    assert folds[:number] == split.folds
    assert split.twins is not None
    family = split.twins.take(split.development).family
    for start in range(0, len(folds), number):
        held_out = np.concatenate([fold.held_out for fold in folds[start : start + number]])
        assert sorted(held_out) == list(range(len(split.development)))
        for fold in folds[start : start + number]:
            assert not set(family[fold.fit]) & set(family[fold.held_out])
    assert len({tuple(fold.held_out) for fold in folds}) == len(folds)


def test_many_rows_are_divided_once() -> None:
    random = np.random.default_rng(0)
    many = 2 * FEW_ROWS
    rows = applications(pd.DataFrame({"x": random.normal(size=many)}), random.integers(0, 2, many))
    split = split_applications(rows, SplitSettings())
    assert repeated_folds(split, rows.outcomes[split.development], seed=0) == split.folds
