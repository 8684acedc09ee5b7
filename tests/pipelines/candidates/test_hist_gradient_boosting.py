"""The exported trees against scikit-learn's own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from pipelines.candidates.array_trees import ArrayTrees
from pipelines.candidates.families.hist_gradient_boosting import (
    HistGradientBoosting,
    HistGradientBoostingCandidate,
    HistGradientBoostingParameters,
    export_trees,
)
from pipelines.candidates.sample import Sample


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
    ours = HistGradientBoosting(ArrayTrees(export_trees(theirs)), numeric, levels)
    np.testing.assert_array_equal(ours.log_odds(columns), theirs.decision_function(matrix))


def test_levels_beyond_what_scikit_learn_takes_are_learnt_as_one() -> None:
    # given 300 levels of enough rows, of which 250 come twice as often
    levels = np.array([f"city {number:03d}" for number in [*range(300), *range(250)] * 5], dtype=object)
    sample = Sample({"city": levels}, (np.arange(len(levels)) % 2).astype(np.int8), (), ("city",))
    candidate = HistGradientBoostingCandidate(HistGradientBoostingParameters(max_iter=5, min_samples_leaf=1))
    scorer = candidate.fit(sample, seed=0, threads=1)
    # then the rarer ones are scored as a level that was never seen
    rarer = np.array(["city 299", "city 250", "never seen"], dtype=object)
    assert len(scorer.levels["city"]) == 250 + 1
    assert len(set(scorer.log_odds({"city": rarer}))) == 1


@given(st.integers(0, 100), st.integers(1, 3), st.integers(0, 2))
@settings(max_examples=15, deadline=None)
def test_any_small_forest_is_exported_exactly(seed: int, numbers: int, levels: int) -> None:
    generator = np.random.default_rng(seed)
    matrix = np.hstack([generator.normal(size=(120, numbers)), generator.integers(0, 6, (120, levels))]).astype(float)
    matrix[generator.random(matrix.shape) < 0.2] = np.nan
    theirs = HistGradientBoostingClassifier(
        max_iter=4, min_samples_leaf=3, categorical_features=[False] * numbers + [True] * levels, random_state=seed
    ).fit(matrix, generator.integers(0, 2, 120))
    numeric, known = [f"n{place}" for place in range(numbers)], [str(number) for number in range(6)]
    asked = np.vstack([matrix, np.full((1, matrix.shape[1]), np.nan)])
    columns = {name: asked[:, place] for place, name in enumerate(numeric)}
    for place in range(levels):
        values = asked[:, numbers + place]
        columns[f"c{place}"] = np.array([None if np.isnan(one) else str(int(one)) for one in values], dtype=object)
    ours = HistGradientBoosting(
        ArrayTrees(export_trees(theirs)), numeric, {f"c{place}": known for place in range(levels)}
    )
    np.testing.assert_array_equal(ours.log_odds(columns), theirs.decision_function(asked))
