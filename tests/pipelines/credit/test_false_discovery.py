"""Benjamini and Hochberg's q-values against their own example and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from pipelines.credit.false_discovery import q_values

chances = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array)

PUBLISHED = np.array(
    [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1]
)
"""The fifteen comparisons of two treatments of a heart attack (Benjamini and Hochberg 1995, section 4)."""


def test_the_published_example_calls_four_comparisons_real() -> None:
    assert int((q_values(PUBLISHED) <= 0.05).sum()) == 4


def test_values_worked_by_hand() -> None:
    # 4 p / rank: 0.04, 0.06, 0.0533, 0.5; the second takes the third's, which is lower
    assert q_values(np.array([0.01, 0.03, 0.04, 0.5])) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])


@given(chances)
def test_scipy_finds_the_same(found: np.ndarray) -> None:
    assert q_values(found) == pytest.approx(false_discovery_control(found), abs=1e-12)


@given(chances, st.floats(0.001, 0.5))
def test_anything_is_called_real_only_when_simes_test_rejects(found: np.ndarray, level: float) -> None:
    simes = any(chance <= level * (rank + 1) / len(found) for rank, chance in enumerate(np.sort(found)))
    nearly = abs(q_values(found).min() - level) < 1e-12
    assert nearly or bool((q_values(found) <= level).any()) == simes
