"""Trees that are scored together: the same bits however many rows and models go through them at once."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.candidates import joint_trees
from pipelines.candidates.array_trees import ArrayTrees
from pipelines.candidates.joint_nodes import TreeSet
from pipelines.candidates.joint_trees import JointTrees
from pipelines.candidates.portable_model import Columns, levels_of

NUMBERS, TEXTS = ("amount", "age"), ("city", "device")
CITIES = [f"city {number}" for number in range(6)]
Arrays = dict[str, np.ndarray]


def a_tree(generator: np.random.Generator, columns: int, depth: int, *, single: bool) -> Arrays:
    """Return a random tree whose nodes compare one of a few round numbers, or look up one of eight positions."""
    nodes: list[tuple[int, float, int, int, bool, float]] = []
    tables: list[np.ndarray] = []

    def grow(left: int) -> int:
        place = len(nodes)
        nodes.append((-1, 0.0, 0, 0, False, float(generator.normal())))
        if left and generator.random() < 0.9:
            feature, table = int(generator.integers(columns)), -1
            if feature >= len(NUMBERS):
                table = len(tables)
                tables.append(generator.random(8) < 0.5)
            threshold, missing_left = float(generator.integers(-4, 5)) / 2, bool(generator.random() < 0.5)
            children = grow(left - 1), grow(left - 1)
            nodes[place] = (feature, threshold, *children, missing_left, 0.0)
            table_of[place] = table
        return place

    table_of: dict[int, int] = {}
    grow(depth)
    feature, threshold, left, right, missing_left, value = zip(*nodes, strict=True)
    return {
        "root": np.array([0]),
        "feature": np.array(feature),
        "threshold": np.array(threshold, np.float32 if single else np.float64),
        "left": np.array(left),
        "right": np.array(right),
        "missing_left": np.array(missing_left),
        "value": np.array(value),
        "table": np.array([table_of.get(place, -1) for place in range(len(nodes))]),
        "tables": np.array(tables, bool).reshape(-1, 8),
        "baseline": np.array(0.25),
    }


def a_set(generator: np.random.Generator, trees: int, depth: int = 4) -> TreeSet:
    """Return a model of random trees that learnt some of the cities, and of one number its median."""
    single = bool(generator.random() < 0.5)
    grown = [a_tree(generator, len(NUMBERS) + len(TEXTS), depth, single=single) for _ in range(trees)]
    learnt = generator.permutation(CITIES)[:4].tolist()
    levels: dict[str | None, int] = {**{level: place for place, level in enumerate(learnt)}, None: 6}
    return TreeSet(
        ArrayTrees(_joined(grown)), NUMBERS, dict.fromkeys(TEXTS, levels), {"city": 7, "device": 0}, {"age": 0.5}
    )


def _joined(trees: Sequence[Arrays]) -> Arrays:
    from pipelines.candidates.array_trees import joined

    parts = [{name: values for name, values in tree.items() if name not in ("root", "baseline")} for tree in trees]
    return joined(parts, baseline=0.25)


def some_columns(generator: np.random.Generator, rows: int) -> Columns:
    """Return rows with values at the thresholds, missing ones and levels that no model learnt."""
    numbers = {name: generator.integers(-5, 6, rows) / 2 for name in NUMBERS}
    for values in numbers.values():
        values[generator.random(rows) < 0.2] = np.nan
    texts = {name: generator.choice(np.array([*CITIES, "never seen", None], object), rows) for name in TEXTS}
    return numbers | texts


def by_hand(model: TreeSet, columns: Columns) -> np.ndarray:
    """Walk every row down every tree."""
    arrays, rows = model.trees.arrays, len(columns["age"])
    answers = np.empty(rows)
    for row in range(rows):
        total = float(arrays["baseline"])
        for node in arrays["root"].tolist():
            while (feature := arrays["feature"][node]) >= 0:
                name = [*NUMBERS, *TEXTS][feature]
                value = columns[name][row]
                if feature >= len(NUMBERS):
                    position = model.levels[name].get(value, model.unknown[name])
                    is_left = arrays["tables"][arrays["table"][node]][position]
                else:
                    value = model.medians.get(name, value) if np.isnan(value) else value
                    is_left = arrays["missing_left"][node] if np.isnan(value) else value <= arrays["threshold"][node]
                node = arrays["left"][node] if is_left else arrays["right"][node]  # noqa: PLW2901
            total += float(arrays["value"][node])
        answers[row] = total
    return answers


@given(st.integers(0, 10_000), st.integers(1, 3), st.sampled_from([1, 5, 30]))
@settings(max_examples=25, deadline=None)
def test_rows_reach_the_leaves_that_they_reach_by_hand(seed: int, models: int, rows: int) -> None:
    generator = np.random.default_rng(seed)
    sets = [a_set(generator, trees=int(generator.integers(1, 4))) for _ in range(models)]
    columns = some_columns(generator, rows)
    expected = np.array([by_hand(one, columns) for one in sets])
    np.testing.assert_array_equal(JointTrees(sets).log_odds(columns), expected)
    coded = columns | {name: levels_of(columns[name]) for name in TEXTS}
    np.testing.assert_array_equal(JointTrees(sets).log_odds(coded), expected)


@pytest.mark.parametrize("ranked_from", [0, 10**9], ids=["ranks", "numbers"])
@pytest.mark.parametrize("rows", [1, 20, 21, 700])
def test_few_rows_are_scored_like_many_to_the_last_bit(
    rows: int, ranked_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(rows)
    sets = [a_set(generator, trees=40, depth=9), a_set(generator, trees=1, depth=0), a_set(generator, trees=25)]
    columns = some_columns(generator, rows)
    monkeypatch.setattr(joint_trees, "NODES_OF_A_GROUP", 500)
    few = JointTrees(sets).log_odds(columns)
    monkeypatch.setattr(joint_trees, "MOST_TOGETHER", 0)
    monkeypatch.setattr(joint_trees, "RANKED_FROM", ranked_from)
    monkeypatch.setattr(joint_trees, "CACHED_ROWS", 70)
    np.testing.assert_array_equal(JointTrees(sets).log_odds(columns), few)
    for model, one in enumerate(sets):
        np.testing.assert_array_equal(JointTrees([one]).log_odds(columns)[0], few[model])


def test_no_rows_have_no_scores() -> None:
    generator = np.random.default_rng(0)
    model = JointTrees([a_set(generator, trees=2)])
    assert model.log_odds(some_columns(generator, 0)).shape == (1, 0)
