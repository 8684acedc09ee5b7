"""Tables of Shapley values: CatBoost's own say the same, a small tree by hand, and one row as many rows."""

import catboost
import numpy as np
import pytest

from pipelines.candidates.families.catboost import CatBoost
from pipelines.candidates.oblivious_shapley import FEW_ROWS, ObliviousShapley, Tree, expected_value, table_of
from pipelines.candidates.portable_model import Model, columns_of
from tests.pipelines.candidates.test_conformance import a_table, nasty, trained


@pytest.fixture(scope="module")
def model() -> Model:
    return trained("catboost").model


def tables_of(model: Model) -> tuple[ObliviousShapley, CatBoost]:
    scorer = model.scorer
    assert isinstance(scorer, CatBoost)
    tables = ObliviousShapley.of(scorer.model)
    assert tables is not None
    return tables, scorer


@pytest.mark.parametrize("one_hot_max_size", [2, 400])
def test_catboost_itself_says_the_same(one_hot_max_size: int) -> None:
    table, bad = a_table(900)
    columns = columns_of(table, ["income", "constant", "tenure"], ["channel", "city"])
    names: tuple[list[str], dict[str, list[str]]] = (["income", "constant", "tenure"], {"channel": [], "city": []})
    parameters = {"iterations": 40, "depth": 5, "one_hot_max_size": one_hot_max_size, "max_ctr_complexity": 1}
    theirs = catboost.CatBoost(
        parameters | {"loss_function": "Logloss", "verbose": False, "allow_writing_files": False}
    )
    theirs.fit(CatBoost.arrange(columns, *names, bad))
    scorer = CatBoost(theirs, *names)
    expected = theirs.get_feature_importance(scorer.arrange(columns, *names), type="ShapValues")
    tables = ObliviousShapley.of(theirs)
    assert tables is not None
    np.testing.assert_allclose(tables.contributions(scorer.leaves(columns)), expected[:, :-1], rtol=0, atol=1e-12)
    assert abs(tables.base - expected[0, -1]) < 1e-12


def test_a_statistic_of_two_features_is_left_to_catboost() -> None:
    generator = np.random.default_rng(0)
    levels = generator.integers(0, 40, (500, 2)).astype(str).astype(object)
    bad = (levels[:, 0].astype(int) + levels[:, 1].astype(int)) % 2
    columns = {"a": levels[:, 0], "b": levels[:, 1]}
    pool = CatBoost.arrange(columns, [], {"a": [], "b": []}, bad)
    parameters = {"iterations": 20, "max_ctr_complexity": 2, "verbose": False, "allow_writing_files": False}
    assert ObliviousShapley.of(catboost.CatBoost(parameters | {"loss_function": "Logloss"}).fit(pool)) is None


def test_one_row_is_explained_as_among_many_to_the_last_bit(model: Model) -> None:
    tables, scorer = tables_of(model)
    columns = columns_of(a_table(FEW_ROWS + 10, seed=4)[0], model.numeric, model.categorical)
    leaves = scorer.leaves(columns)
    together = tables.contributions(leaves)
    for row in range(len(leaves)):
        np.testing.assert_array_equal(tables.contributions(leaves[row : row + 1])[0], together[row])
    np.testing.assert_array_equal(tables.contributions(leaves[:FEW_ROWS]), together[:FEW_ROWS])


def test_contributions_add_up_to_the_log_odds(model: Model) -> None:
    tables, scorer = tables_of(model)
    columns = columns_of(nasty(), model.numeric, model.categorical)
    found = tables.base + tables.contributions(scorer.leaves(columns)).sum(axis=1)
    np.testing.assert_allclose(found, scorer.log_odds(columns), rtol=0, atol=1e-6)  # CatBoost adds in another order


def test_no_rows_have_no_contributions(model: Model) -> None:
    tables, _ = tables_of(model)
    assert tables.contributions(np.empty((0, 20), np.uint32)).shape == (0, 5)


def test_a_tree_of_two_levels_by_hand() -> None:
    # Leaves 00, 01, 10, 11 (bit 0: feature 7, bit 1, the root: feature 3), learnt from 30, 10, 20 and 40 rows.
    tree = Tree((7, 3), np.array([1.0, 2.0, 3.0, 5.0]), np.array([30.0, 10.0, 20.0, 40.0]))
    # Known is nothing: 0.4 (0.75 x 1 + 0.25 x 2) + 0.6 (1/3 x 3 + 2/3 x 5) = 3.1
    assert expected_value(tree) == pytest.approx(3.1)
    # A row in leaf 11: feature 3 alone known 13/3, feature 7 alone 0.4 x 2 + 0.6 x 5 = 3.8, both 5.
    three = ((13 / 3 - 3.1) + (5 - 3.8)) / 2
    seven = ((3.8 - 3.1) + (5 - 13 / 3)) / 2
    np.testing.assert_allclose(table_of(tree)[:, 3], [three, seven], rtol=1e-14)


def test_a_feature_asked_twice_is_one_feature() -> None:
    # Both levels ask feature 0: leaf 11 is reached by whoever says yes twice; unknown is only that one feature.
    tree = Tree((0, 0), np.array([1.0, 2.0, 3.0, 5.0]), np.array([30.0, 10.0, 20.0, 40.0]))
    assert table_of(tree)[0].tolist() == pytest.approx([1 - 3.1, 2 - 3.1, 3 - 3.1, 5 - 3.1])
