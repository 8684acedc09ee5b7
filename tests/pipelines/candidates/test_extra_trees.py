"""The exported trees against scikit-learn's own answers."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier

from pipelines.candidates.array_trees import ArrayTrees
from pipelines.candidates.families.extra_trees import (
    PRIOR_SHARE,
    ExtraTreesCandidate,
    ExtraTreesParameters,
    export_trees,
)
from pipelines.candidates.sample import Sample
from pipelines.candidates.tree_inputs import TreeInputs
from tests.pipelines.candidates.random_features import log_odds_of, random_features


@pytest.mark.parametrize("levels", [0, 2, 4])
@pytest.mark.parametrize("least", [1, 30])
def test_exported_trees_have_the_mean_log_odds_of_the_leaves_that_rows_reach(least: int, levels: int) -> None:
    features, bad = random_features(4 - levels, levels, seed=least + levels)
    generator = np.random.default_rng(0)
    ranks = {f"c{number}": generator.permutation(40) for number in range(levels)}
    ranked = features.matrix.copy()
    for column, rank in zip(features.positions_of_levels, ranks.values(), strict=True):
        ranked[:, column] = rank[features.matrix[:, column].astype(np.intp)]
    theirs = ExtraTreesClassifier(12, min_samples_leaf=least, random_state=0).fit(ranked, bad)
    rates = np.array([tree.predict_proba(ranked)[:, 1] for tree in theirs.estimators_])
    rates = (1 - PRIOR_SHARE) * rates + PRIOR_SHARE * 0.4
    inputs = TreeInputs(
        [f"n{number}" for number in range(4 - levels)], {name: [str(n) for n in range(40)] for name in ranks}, {}
    )
    trees = ArrayTrees(export_trees(theirs, 0.4, inputs, ranks))
    single = [one.astype(np.float32) if one.dtype == np.float64 else one for one in features.inputs]
    np.testing.assert_allclose(log_odds_of(trees, single), np.log(rates / (1 - rates)).mean(axis=0), atol=1e-12)


def test_a_category_is_split_between_levels_of_different_risk() -> None:
    # given levels in no order, of which every other one is bad
    generator = np.random.default_rng(0)
    city = generator.integers(0, 20, 4000)
    bad = (generator.random(4000) < np.where(city % 2, 0.8, 0.2)).astype(np.int8)
    sample = Sample({"city": np.array([f"city {one}" for one in city], dtype=object)}, bad, (), ("city",))
    scorer = ExtraTreesCandidate(ExtraTreesParameters(min_samples_leaf=5)).fit(sample, seed=0, threads=1)
    found = scorer.log_odds({"city": np.array([f"city {one}" for one in range(20)], dtype=object)})
    assert found[1::2].min() > found[::2].max() + 1
