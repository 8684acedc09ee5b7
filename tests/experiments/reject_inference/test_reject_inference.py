"""Weights and augmented rows by hand, and the laws they rest on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from experiments.reject_inference.propensity import chosen, propensity, random_approval_share
from experiments.reject_inference.reject_inference import (
    FuzzyAugmentation,
    approval_weights,
    augmented,
    inverse_chances,
)
from pipelines.applications.applications import Applications
from pipelines.applications.roles import Roles
from pipelines.candidates.blocks import IN_EVERY_MODEL
from pipelines.candidates.sample import Sample
from pipelines.errors import DataError


def asked(income: NDArray[np.float64], approved: NDArray[np.bool_], by_lot: NDArray[np.bool_]) -> Applications:
    roles = Roles("id", None, None, "1", (), ("income",), ())
    ids = np.array([f"A{row}" for row in range(len(income))])
    features = pd.DataFrame({"income": income})
    return Applications(
        features, ids, None, None, pd.DataFrame(index=features.index), roles, "f", {}, approved=approved, by_lot=by_lot
    )


def a_market(
    rows: int, seed: int = 0, severity: float = 2.0
) -> tuple[Applications, NDArray[np.int8], NDArray[np.float64]]:
    """Return who asked of a lender that turns the poor away, all outcomes, and the true chance that it chose each."""
    generator = np.random.default_rng(seed)
    income = generator.normal(size=rows)
    chance = 1 / (1 + np.exp(-severity * income))
    is_chosen = generator.random(rows) < chance
    by_lot = ~is_chosen & (generator.random(rows) < 0.05)
    bad = (generator.random(rows) < 1 / (1 + np.exp(2 + 1.5 * income))).astype(np.int8)
    return asked(income, is_chosen | by_lot, by_lot), bad, chance


def test_weights_are_inverse_chances_with_mean_one() -> None:
    # chances 0.5, 0.25 and 1: weights 2, 4 and 1, of which the largest is cut at its 99% quantile 2 + 0.98 * 2
    assert inverse_chances(np.array([0.5, 0.25, 1.0]), 0.0) * (2 + 3.96 + 1) / 3 == pytest.approx([2, 3.96, 1])


def test_a_lot_bounds_the_weights_of_those_whom_the_policy_hardly_ever_chose() -> None:
    # 0.5 + 0.5 * 0.2 = 0.6; 0 + 1 * 0.2 = 0.2: three times as much
    found = inverse_chances(np.array([0.5] * 500 + [0.0] * 500), 0.2)
    assert found[-1] / found[0] == pytest.approx(3.0)
    assert found.mean() == pytest.approx(1.0)


def test_one_approved_by_lot_is_not_chosen_and_the_lot_is_counted_among_the_others() -> None:
    approved = np.array([True, True, True, False, False, False])
    by_lot = np.array([False, False, True, False, False, False])
    table = asked(np.zeros(6), approved, by_lot)
    assert chosen(table).tolist() == [True, True, False, False, False, False]
    assert random_approval_share(table) == 0.25


def test_the_policy_is_learnt_from_what_it_did() -> None:
    table, _, chance = a_market(4_000)
    found = propensity(table, seed=0, threads=1)
    assert np.corrcoef(found, chance)[0, 1] > 0.95
    assert found.mean() == pytest.approx(chosen(table).mean(), abs=0.02)


def test_weighted_by_their_chances_the_approved_are_as_bad_as_all_who_asked() -> None:
    table, bad, chance = a_market(60_000, severity=1.0)  # mild enough that hardly any weight is cut
    approved = np.flatnonzero(table.approved)  # type: ignore[arg-type]
    weights = inverse_chances(chance[approved], random_approval_share(table))
    error = np.sqrt(np.average((bad[approved] - bad.mean()) ** 2 * weights**2) / len(approved))
    assert bad.mean() - bad[approved].mean() > 10 * error
    assert np.average(bad[approved], weights=weights) == pytest.approx(bad.mean(), abs=3 * error)


def test_chances_that_are_learnt_give_about_the_weights_of_the_true_ones() -> None:
    table, _, chance = a_market(8_000)
    approved = np.random.default_rng(0).permutation(np.flatnonzero(table.approved))  # type: ignore[arg-type]
    found = approval_weights(table, table.ids[approved], seed=0, threads=1)
    expected = inverse_chances(chance[approved], random_approval_share(table))
    assert np.corrcoef(np.log(found), np.log(expected))[0, 1] > 0.9


def test_an_outcome_of_one_who_was_not_approved_is_refused() -> None:
    table, _, _ = a_market(200)
    declined = np.flatnonzero(~table.approved)[:1]  # type: ignore[operator]
    with pytest.raises(
        DataError, match=r"1 of 1 applications with an outcome are not among the approved of data\.ttd_population"
    ):
        approval_weights(table, table.ids[declined], seed=0, threads=1)
    everyone = asked(np.zeros(50), np.ones(50, bool), np.zeros(50, bool))
    with pytest.raises(DataError, match="has 0 approved or declined applications and needs at least 5 of each"):
        propensity(everyone, seed=0, threads=1)


def sample(income: list[float], bad: list[int]) -> Sample:
    return Sample({"income": np.array(income)}, np.array(bad, np.int8), ("income",), ())


def test_a_declined_one_enters_twice_and_counts_as_it_occurs() -> None:
    found = augmented(sample([1.0, 2.0], [0, 1]), sample([7.0, 8.0], [0, 0]), np.array([0.25, 0.5]), each=0.8)
    assert found.columns["income"].tolist() == [1, 2, 7, 8, 7, 8]
    assert found.bad.tolist() == [0, 1, 1, 1, 0, 0]
    assert found.weights is not None
    assert found.weights == pytest.approx([1, 1, 0.2, 0.4, 0.6, 0.4])


def test_a_declined_one_is_in_every_model_of_an_average() -> None:
    blocks = replace(sample([1.0, 2.0], [0, 1]), blocks=np.array([3, 5]))
    found = augmented(blocks, sample([7.0], [0]), np.array([0.25]), each=0.8)
    assert found.blocks is not None
    assert found.blocks.tolist() == [3, 5, IN_EVERY_MODEL, IN_EVERY_MODEL]


class Rate:
    """Answers everybody with the weighted bad rate of what it learnt from."""

    family, parameters = "rate", None

    def __init__(self) -> None:
        self.learnt: list[Sample] = []

    def fit(self, sample: Sample, *, seed: int, threads: int) -> "Rate":  # noqa: ARG002
        self.learnt.append(sample)
        return self

    def log_odds(self, columns: Any) -> NDArray[np.float64]:
        rate = np.average(self.learnt[-1].bad, weights=self.learnt[-1].weights)
        return np.full(len(columns["income"]), np.log(rate / (1 - rate)))

    def save(self, scorer: Any, folder: Path) -> dict[str, object]:  # noqa: ARG002
        return {"saved": True}


def test_the_first_model_weighs_the_declined_and_the_second_learns_from_all() -> None:
    candidate = Rate()
    wrapped = FuzzyAugmentation(candidate, sample([9.0] * 5, [0] * 5), approved=8)
    wrapped.fit(sample([1.0] * 4, [1, 0, 0, 0]), seed=0, threads=1)
    first, second = candidate.learnt
    assert (len(first.bad), first.weights) == (4, None)
    assert second.weights is not None
    # 4 rows to learn from for 8 approved: each of the 5 declined counts for half a row, a quarter of it bad
    assert second.weights == pytest.approx([1.0] * 4 + [0.125] * 5 + [0.375] * 5)
    assert np.average(second.bad, weights=second.weights) == pytest.approx(0.25)
    assert (wrapped.family, wrapped.parameters, wrapped.save(None, Path())) == ("rate", None, {"saved": True})
