"""A search by time ends early enough to fit and register the final model."""

from collections.abc import Sequence

import pytest

from experiments.experiment.recorded_settings import FAMILY
from experiments.search import budget as module
from experiments.search.budget import AFTERWARDS, AVERAGE_OF_FINAL, MODEL_OF_FINAL, Budget
from experiments.search.trial_result import SECONDS, TREES, TrialResult


def trials_of(*described: tuple[str, float, float, int | None]) -> list[TrialResult]:
    """Return finished trials of a family, an AUC, seconds and a number of trees."""
    return [
        TrialResult(auc, notes={SECONDS: seconds, TREES: trees}, number=number, parameters={FAMILY: family})
        for number, (family, auc, seconds, trees) in enumerate(described)
    ]


def last_moment(monkeypatch: pytest.MonkeyPatch, finished: Sequence[TrialResult]) -> float:
    """Return until how long before the deadline one more trial is started, in tenths of a second."""
    budget = Budget(None, 1000.0)
    for tenths in range(10_000):
        monkeypatch.setattr(module.time, "monotonic", lambda now=1000 - tenths / 10: now)
        if not budget.is_over(finished):
            return tenths / 10
    raise AssertionError("no trial is ever started")


def test_one_more_trial_and_the_final_fits_must_be_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    finished = trials_of(("scorecard", 0.70, 2.0, None), ("lightgbm", 0.72, 4.0, 100), ("lightgbm", 0.71, 60.0, 100))
    expected = AFTERWARDS + 22.0 + 4.0 * AVERAGE_OF_FINAL + 2.0 * MODEL_OF_FINAL  # the best trial of each family
    assert last_moment(monkeypatch, finished) == pytest.approx(expected, abs=0.11)


def test_of_many_families_the_best_ones_count(monkeypatch: pytest.MonkeyPatch) -> None:
    finished = trials_of(*[(f"family {number}", 0.7 + number / 100, 10.0, None) for number in range(7)])
    expected = AFTERWARDS + 10.0 + 4 * 10.0 * MODEL_OF_FINAL
    assert last_moment(monkeypatch, finished) == pytest.approx(expected, abs=0.11)


def test_without_a_deadline_or_a_finished_trial_a_search_goes_on() -> None:
    assert not Budget(None, None).is_over(trials_of(("scorecard", 0.7, 2.0, None)))
    assert not Budget(None, 0.0).is_over([])
