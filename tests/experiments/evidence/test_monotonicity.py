"""Declared directions are checked on what a model answers: its probabilities, after calibration."""

from collections.abc import Callable

import numpy as np
import pytest

from experiments.evidence.monotonicity import adherence, checked
from pipelines.candidates.portable_model import Columns, Floats
from pipelines.candidates.sample import Sample

COLUMNS = {"age": np.linspace(20, 80, 100), "debt": np.full(100, 5.0)}
SAMPLE = Sample(COLUMNS, np.zeros(100, np.int8), ("age", "debt"), ())


def model(probability: Callable[[Floats], Floats]) -> Callable[[Columns], tuple[Floats, Floats]]:
    """Return a model whose raw log-odds fall with age, and whose calibrated probability is as given."""
    return lambda columns: (-columns["age"], probability(columns["age"]))


def test_probabilities_are_checked_and_not_what_they_were_before_calibration() -> None:
    rising = model(lambda age: 1 / (1 + np.exp(-age / 20)))
    (record,) = checked(rising, SAMPLE, {"age": -1}, also={})
    assert (record["expected"], record["declared"], record["share_violating"]) == ("safer", True, 1.0)
    assert record["largest"] == pytest.approx(3.0)
    (record,) = checked(rising, SAMPLE, {"age": 1}, also={})
    assert record["share_violating"] == 0.0


def test_probabilities_of_0_and_1_are_compared_too() -> None:
    (record,) = checked(model(lambda age: np.where(age > 50, 1.0, 0.0)), SAMPLE, {"age": -1}, also={})
    assert record["share_violating"] == 1.0
    assert np.isfinite(record["largest"])


def test_a_feature_of_one_number_is_not_checked_and_the_sentence_names_it() -> None:
    records = checked(model(lambda age: 1 / age), SAMPLE, {"age": -1, "debt": 1}, also={})
    assert [one["share_violating"] for one in records] == [0.0, None]
    assert adherence(records) == (
        "keeps to the declared direction of age; not checked: debt (not in the model, or one value only)"
    )
    assert adherence(records[1:]).startswith("has no declared feature to move; not checked: debt")


def test_the_sentence_names_the_worst_features_first() -> None:
    records = [
        {"feature": name, "expected": "safer", "rows": 200, "share_violating": share, "largest": 0.5}
        for name, share in {"a": 0.0, "b": 0.01, "c": 0.5, "d": 0.02, "e": 0.03}.items()
    ]
    words = adherence(records)
    assert words.startswith("moves against the declared directions of c (safer: in 50.0% of 200 applications, by up to")
    assert words.endswith("and 1 more")
    assert "a (" not in words
