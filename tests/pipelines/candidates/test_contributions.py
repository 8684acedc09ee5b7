"""What a score is made of: by hand, by brute force, and the laws that hold for every family."""

from itertools import chain, combinations
from math import factorial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from pipelines.candidates.array_trees import FEW_ROWS, ArrayTrees
from pipelines.candidates.families.hist_gradient_boosting import HistGradientBoosting, export_trees
from pipelines.candidates.families.scorecard import Scorecard
from pipelines.candidates.portable_model import Model, columns_of
from pipelines.candidates.training import TrainedModel
from pipelines.candidates.tree_shapley import shares_of_conditions, shares_of_patterns
from tests.pipelines.candidates.test_conformance import FAMILIES, a_table, nasty, trained

FURTHEST = {"catboost": 1e-6}


@pytest.fixture(scope="module", params=FAMILIES)
def model(request: pytest.FixtureRequest) -> TrainedModel:
    return trained(request.param)


def told(model: Model, table: Any) -> tuple[float, np.ndarray]:
    return model.contributions(columns_of(table, model.numeric, model.categorical))


def log_odds(model: Model, table: Any) -> np.ndarray:
    return model.log_odds(columns_of(table, model.numeric, model.categorical))


def test_contributions_add_up_to_the_log_odds(model: TrainedModel) -> None:
    for table in (nasty(), a_table(500, seed=5)[0]):
        base, found = told(model.model, table)
        assert found.shape == (len(table), 5)
        gap = np.abs(base + found.sum(axis=1) - log_odds(model.model, table)).max()
        assert gap < FURTHEST.get(model.candidate.family, 1e-12)


def test_a_contribution_does_not_depend_on_the_rows_beside_it(model: TrainedModel) -> None:
    table = a_table(300, seed=6)[0]
    base, found = told(model.model, table)
    for row in range(0, 300, 20):
        alone = told(model.model, table.iloc[[row]])
        assert alone[0] == base
        np.testing.assert_array_equal(alone[1][0], found[row])


def test_a_feature_that_says_nothing_contributes_nothing(model: TrainedModel) -> None:
    _, found = told(model.model, nasty())
    assert not found[:, 1].any()  # the constant


def test_what_tells_most_contributes_most(model: TrainedModel) -> None:
    _, found = told(model.model, a_table()[0])
    assert np.abs(found).mean(axis=0).argmax() in (0, 3)  # income and channel made the outcomes


def test_no_rows_have_no_contributions(model: TrainedModel) -> None:
    assert told(model.model, nasty().head(0))[1].shape == (0, 5)


def test_infinite_numbers_are_refused_here_too(model: TrainedModel) -> None:
    with pytest.raises(ValueError, match="finite"):
        told(model.model, nasty().assign(income=np.inf))


BY_HAND = Scorecard(
    {
        "intercept": -1.0,
        "columns": [
            {
                "name": "income",
                "edges": [10.0],
                "weights": [0.5, 1.0, -1.0],
                "rows": [0, 30, 10],  # on average 0.5
                "coefficient": 0.5,
            },
            {
                "name": "channel",
                "levels": {"app": 1, "web": 2},
                "weights": [0.0, 0.4, -0.4],
                "rows": [20, 10, 10],  # on average 0
                "coefficient": 2.0,
            },
        ],
    }
)


@pytest.mark.parametrize(
    ("income", "channel", "by_income", "by_channel"),
    [
        (10.0, "app", 0.5 * (1.0 - 0.5), 2 * 0.4),
        (10.1, "web", 0.5 * (-1.0 - 0.5), -2 * 0.4),
        (np.nan, "post", 0.0, 0.0),  # missing is as the average here; a level never seen says nothing
    ],
)
def test_a_scorecard_by_hand(income: float, channel: str, by_income: float, by_channel: float) -> None:
    columns = {"income": np.array([income]), "channel": np.array([channel], dtype=object)}
    base, found = BY_HAND.contributions(columns)
    assert base == pytest.approx(-1 + 0.5 * 0.5)
    assert found["income"] == pytest.approx([by_income])
    assert found["channel"] == pytest.approx([by_channel])


def test_the_average_applicant_has_no_reasons() -> None:
    model = trained("scorecard").model
    table, _ = a_table()  # the very rows it was learnt from
    _, found = told(model, table)
    assert np.abs(found.mean(axis=0)).max() < 1e-12


def test_two_conditions_by_hand() -> None:
    # An outcome of 1 if both hold; unknown they hold with 0.5 and 0.2. Both are met: v(0)=0.1, v(1)=0.2, v(2)=0.5, 1.
    expected = np.array([[0.5], [0.2]])
    found = shares_of_conditions(np.array([[True], [True]]), expected)
    assert found[:, 0] == pytest.approx([(0.2 - 0.1 + 1 - 0.5) / 2, (0.5 - 0.1 + 1 - 0.2) / 2])
    # The second is not met: v(1)=0.2, v(2)=0, both 0.
    found = shares_of_conditions(np.array([[True], [False]]), expected)
    assert found[:, 0] == pytest.approx([(0.2 - 0.1 + 0 - 0) / 2, (0 - 0.1 + 0 - 0.2) / 2])


@pytest.mark.parametrize("conditions", [1, 2, 5, 9, 14])
def test_a_pattern_and_the_conditions_that_it_has_agree_to_the_last_bit(conditions: int) -> None:
    generator = np.random.default_rng(conditions)
    expected = generator.uniform(0.01, 0.99, conditions)
    is_met = generator.random((conditions, 50)) < 0.7
    patterns = (is_met * 2 ** np.arange(conditions)[:, None]).sum(axis=0)
    of_each = shares_of_conditions(is_met, np.tile(expected[:, None], 50))
    np.testing.assert_array_equal(shares_of_patterns(expected)[:, patterns], of_each)


@pytest.mark.parametrize("family", ["hist_gradient_boosting", "lightgbm", "xgboost"])
def test_few_rows_are_explained_like_many_to_the_last_bit(family: str) -> None:
    model, table = trained(family).model, a_table(FEW_ROWS + 1, seed=3)[0]
    base, many = told(model, table)
    few_base, few = told(model, table.head(FEW_ROWS))
    assert few_base == base
    np.testing.assert_array_equal(few, many[:FEW_ROWS])


@given(st.integers(0, 10_000), st.integers(0, 3), st.integers(0, 2))
@settings(max_examples=12, deadline=None)
def test_trees_agree_with_shapleys_formula_over_all_coalitions(seed: int, numbers: int, levels: int) -> None:
    if numbers + levels == 0:
        return
    generator = np.random.default_rng(seed)
    matrix = np.hstack([generator.normal(size=(150, numbers)), generator.integers(0, 6, (150, levels))]).astype(float)
    matrix[:6] = np.arange(6)[:, None]  # each level occurs: scikit-learn numbers those that it saw
    matrix[6:][generator.random((144, numbers + levels)) < 0.2] = np.nan
    theirs = HistGradientBoostingClassifier(
        max_iter=3,
        max_leaf_nodes=8,
        min_samples_leaf=3,
        categorical_features=[False] * numbers + [True] * levels,
        random_state=seed,
    ).fit(matrix, generator.integers(0, 2, 150))
    asked = np.vstack([matrix[::40], np.full((1, numbers + levels), np.nan)])
    names = [f"n{place}" for place in range(numbers)]
    known = {f"c{place}": [str(number) for number in range(6)] for place in range(levels)}
    columns: dict[str, np.ndarray] = {name: asked[:, place] for place, name in enumerate(names)}
    for place, name in enumerate(known, start=numbers):
        columns[name] = np.array([None if np.isnan(one) else str(int(one)) for one in asked[:, place]], dtype=object)
    base, found = HistGradientBoosting(ArrayTrees(export_trees(theirs)), names, known).contributions(columns)
    ours = np.column_stack(list(found.values()))
    for row, x in enumerate(asked):
        nothing, shares = by_shapleys_formula(theirs, x)
        assert base == pytest.approx(nothing, abs=1e-12)
        assert ours[row] == pytest.approx(shares, abs=1e-12)


def by_shapleys_formula(model: Any, x: np.ndarray) -> tuple[float, list[float]]:
    """Return the value of the empty coalition and each feature's Shapley value, from scikit-learn's own nodes."""
    features = range(len(x))
    worth = {frozenset(known): expectation(model, x, frozenset(known)) for known in every_coalition(features)}
    count = len(x)
    return worth[frozenset()], [
        sum(
            factorial(len(known)) * factorial(count - len(known) - 1) / factorial(count)
            * (worth[frozenset(known) | {feature}] - worth[frozenset(known)])
            for known in every_coalition([other for other in features if other != feature])
        )
        for feature in features
    ]  # fmt: skip


def every_coalition(features: Any) -> Any:
    return chain.from_iterable(combinations(features, size) for size in range(len(features) + 1))


def expectation(model: Any, x: np.ndarray, known: frozenset[int]) -> float:
    """Return the trees' expected sum where only some features are known: unknown ones follow the training rows."""
    flags = model.is_categorical_
    order = np.arange(len(x)) if flags is None else np.concatenate([np.flatnonzero(flags), np.flatnonzero(~flags)])

    def below(predictor: Any, place: int) -> float:
        node = predictor.nodes[place]
        if node["is_leaf"]:
            return float(node["value"])
        feature = order[node["feature_idx"]]
        left, right = predictor.nodes[node["left"]], predictor.nodes[node["right"]]
        if feature not in known:
            total = float(left["count"]) + float(right["count"])
            return left["count"] / total * below(predictor, node["left"]) + right["count"] / total * below(
                predictor, node["right"]
            )
        return below(predictor, node["left"] if goes_left(predictor, node, x[feature]) else node["right"])

    baseline = float(np.asarray(model._baseline_prediction).reshape(-1)[0])
    return baseline + sum(below(predictor, 0) for (predictor,) in model._predictors)


def goes_left(predictor: Any, node: Any, value: float) -> bool:
    if np.isnan(value):
        return bool(node["missing_go_to_left"])
    if node["is_categorical"]:
        word = int(predictor.raw_left_cat_bitsets[node["bitset_idx"]][int(value) // 32])
        return bool(word >> (int(value) % 32) & 1)
    return bool(value <= node["num_threshold"])


def test_a_model_whose_file_does_not_count_rows_says_so() -> None:
    model = trained("hist_gradient_boosting").model
    del model.scorer.trees.arrays["count"]
    with pytest.raises(ValueError, match=r"has no row counts of its nodes.*fit the model again"):
        told(model, nasty())
