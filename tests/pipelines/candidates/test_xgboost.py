"""The exported trees against XGBoost's own answers, which are in single precision."""

import numpy as np
import pytest
import xgboost

from pipelines.candidates.array_trees import ArrayTrees
from pipelines.candidates.families.xgboost import export_trees
from tests.pipelines.candidates.random_features import log_odds_of, random_features


@pytest.mark.parametrize("levels", [0, 2, 4])
@pytest.mark.parametrize("depth", [1, 4, 9])
def test_exported_trees_answer_and_explain_like_xgboost(depth: int, levels: int) -> None:
    features, bad = random_features(4 - levels, levels, seed=depth + levels)
    matrix = features.matrix.astype(np.float32)
    kinds = ["q"] * features.numbers + ["c"] * levels
    rows = xgboost.DMatrix(matrix, bad, feature_types=kinds, enable_categorical=True, nthread=1)
    options = {"objective": "binary:logistic", "max_depth": depth, "nthread": 1, "min_child_weight": 0}
    booster = xgboost.train(options, rows, num_boost_round=25)
    trees = ArrayTrees(export_trees(booster))
    inputs = [one.astype(np.float32) if one.dtype == np.float64 else one for one in features.inputs]
    np.testing.assert_allclose(log_odds_of(trees, inputs), booster.predict(rows, output_margin=True), atol=1e-5)
    theirs = booster.predict(rows, pred_contribs=True)
    base, added = trees.contributions(inputs)
    assert base == pytest.approx(theirs[0, -1], abs=1e-5)
    np.testing.assert_allclose(added.T, theirs[:, :-1], atol=1e-4)


def test_a_number_at_a_threshold_goes_right_as_xgboost_has_it() -> None:
    numbers = np.repeat(np.float32([0.1, 0.2, 0.3]), 20)
    rows = xgboost.DMatrix(numbers[:, None], numbers > 0.25, nthread=1)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1, "tree_method": "exact"}, rows, 3)
    trees = ArrayTrees(export_trees(booster))
    threshold = np.nextafter(trees.arrays["threshold"][0], np.float32(1))
    asked = np.array([np.nextafter(threshold, np.float32(0)), threshold], np.float32)
    found = log_odds_of(trees, [asked])
    np.testing.assert_allclose(found, booster.predict(xgboost.DMatrix(asked[:, None]), output_margin=True), atol=1e-6)
    assert found[0] < found[1]
