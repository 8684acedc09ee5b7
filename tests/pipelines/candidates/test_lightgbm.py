"""The exported trees against LightGBM's own answers."""

import warnings
from typing import Any

import lightgbm
import numpy as np
import pytest

from pipelines.candidates.array_trees import ArrayTrees
from pipelines.candidates.families.lightgbm import export_trees
from tests.pipelines.candidates.random_features import Features, log_odds_of, random_features


def booster_of(features: Features, bad: np.ndarray, **options: Any) -> Any:
    rows = lightgbm.Dataset(features.matrix, bad, categorical_feature=features.positions_of_levels)
    small = {"min_data_in_leaf": 3, "min_data_per_group": 3, "cat_smooth": 1, "verbosity": -1, "num_threads": 1}
    return lightgbm.train({"objective": "binary", **small, **options}, rows, num_boost_round=25)


@pytest.mark.parametrize("levels", [0, 2, 4])
@pytest.mark.parametrize("leaves", [2, 15, 300])
def test_exported_trees_answer_bit_for_bit_like_lightgbm_and_explain_alike(leaves: int, levels: int) -> None:
    features, bad = random_features(4 - levels, levels, seed=leaves + levels)
    booster = booster_of(features, bad, num_leaves=leaves)
    trees = ArrayTrees(export_trees(booster))
    np.testing.assert_array_equal(log_odds_of(trees, features.inputs), booster.predict(features.matrix, raw_score=True))
    theirs = booster.predict(features.matrix, pred_contrib=True)
    base, added = trees.contributions(features.inputs)
    assert base == pytest.approx(theirs[0, -1])
    np.testing.assert_allclose(added.T, theirs[:, :-1], atol=1e-9)


def test_a_number_that_was_never_missing_counts_as_zero_when_it_is() -> None:
    features, bad = random_features(2, 0, seed=1, missing=0.0)
    booster = booster_of(features, bad)
    asked = np.array([[np.nan, 0.3], [0.2, np.nan], [np.nan, np.nan]])
    found = log_odds_of(ArrayTrees(export_trees(booster)), list(asked.T))
    np.testing.assert_array_equal(found, booster.predict(asked, raw_score=True))


def test_trees_that_are_one_leaf_have_its_value() -> None:
    features, bad = random_features(2, 0, seed=1)
    with warnings.catch_warnings():
        booster = booster_of(features, bad, min_data_in_leaf=len(bad))
    trees = ArrayTrees(export_trees(booster))
    np.testing.assert_array_equal(log_odds_of(trees, features.inputs), booster.predict(features.matrix, raw_score=True))
    assert not trees.contributions(features.inputs)[1].any()
