"""Features that stand in for each other are one group, whatever their scale and however much of them is missing."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from experiments.experiment.feature_use import (
    candidate_in_use,
    dropped,
    feature_groups,
    rank_correlations,
    sample_in_use,
    weakened,
)
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.registry import candidate_of
from pipelines.candidates.sample import Sample
from pipelines.candidates.weakened import WeakenedCandidate

ROWS = 2_000


@pytest.fixture
def sample() -> Sample:
    generator = np.random.default_rng(4)
    income, age = generator.normal(size=ROWS), generator.normal(size=ROWS)
    spent = np.exp(income + 0.3 * generator.normal(size=ROWS))
    spent[generator.random(ROWS) < 0.6] = np.nan
    columns = {
        "income": income,
        "age": age,
        "spent": spent,
        "debt": -income + 0.2 * generator.normal(size=ROWS),
        "constant": np.ones(ROWS),
        "empty": np.full(ROWS, np.nan),
        "town": np.where(income > 0, "a", "b").astype(object),
    }
    bad = (generator.random(ROWS) < 0.2).astype(np.int8)
    return Sample(columns, bad, ("income", "age", "spent", "debt", "constant", "empty"), ("town",))


def test_what_moves_together_is_one_group_and_each_category_stands_alone(sample: Sample) -> None:
    assert feature_groups(sample) == [("income", "spent", "debt"), ("age",), ("constant",), ("empty",), ("town",)]


def test_without_gaps_the_correlations_are_spearmans(sample: Sample) -> None:
    columns = np.column_stack([sample.columns[name] for name in ("income", "age", "debt")])
    np.testing.assert_allclose(rank_correlations(columns), spearmanr(columns).statistic, atol=1e-12)


def test_uses_say_what_is_dropped_what_is_weakened_and_what_is_learnt_from(sample: Sample) -> None:
    groups, parameters = feature_groups(sample), {"use/income": 0, "use/age": 4, "use/town": 10}
    assert dropped(groups, parameters) == ["income", "spent", "debt"]
    assert weakened(groups, parameters) == {("age",): pytest.approx(0.6)}
    used = sample_in_use(sample, groups, parameters)
    assert (used.numeric, used.categorical) == (("age", "constant", "empty"), ("town",))
    assert set(used.columns) == {"age", "constant", "empty", "town"}
    candidate = candidate_of(ScorecardSettings())
    assert isinstance(candidate_in_use(candidate, groups, parameters), WeakenedCandidate)
    assert candidate_in_use(candidate, groups, {"use/income": 0, "use/age": 10}) is candidate
