"""The exported trees against scikit-learn's own."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from pipelines.candidates import served
from pipelines.candidates.hist_gradient_boosting import export_trees


@pytest.mark.parametrize("categorical", [0, 2, 4])
def test_exported_trees_answer_bit_for_bit_like_scikit_learn(categorical: int) -> None:
    generator = np.random.default_rng(categorical)
    matrix = np.hstack([generator.normal(size=(600, 4 - categorical)), generator.integers(0, 40, (600, categorical))])
    matrix[generator.random(matrix.shape) < 0.1] = np.nan
    bad = np.nansum(matrix, axis=1) + generator.normal(size=600) > np.median(np.nansum(matrix, axis=1))
    flags = [False] * (4 - categorical) + [True] * categorical
    theirs = HistGradientBoostingClassifier(
        max_iter=30, min_samples_leaf=5, categorical_features=flags, early_stopping=False, random_state=0
    ).fit(matrix, bad)
    numeric = [f"n{place}" for place in range(4 - categorical)]
    # Levels keep their number; scikit-learn numbers those that it saw, so every one from 0 to 39 must occur.
    levels = {f"c{place}": [str(number) for number in range(40)] for place in range(categorical)}
    columns = {name: matrix[:, place] for place, name in enumerate(numeric)}
    for place, name in enumerate(levels, start=4 - categorical):
        assert set(range(40)) <= set(matrix[:, place])
        columns[name] = np.array([None if np.isnan(value) else str(int(value)) for value in matrix[:, place]])
    ours = served.HistGradientBoosting(export_trees(theirs), numeric, levels)
    np.testing.assert_array_equal(ours.log_odds(columns), theirs.decision_function(matrix))
