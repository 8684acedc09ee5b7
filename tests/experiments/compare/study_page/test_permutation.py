"""Permutation importance of models whose formula is known."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from experiments.compare.study_page.permutation import permutation_importance
from pipelines.credit.discrimination import auc

ROWS = 2_000


class Formula:
    """A model that adds twice `strong`, `weak` and whether `amount` has a code; it does not use `unused`."""

    numeric, categorical = ["strong", "weak", "unused", "amount"], ["amount (code)"]

    def predict(self, columns: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        coded = np.where(columns["amount (code)"] == "-9", 1.0, np.nan_to_num(columns["amount"]))
        log_odds = 2 * columns["strong"] + columns["weak"] + coded
        return log_odds, 1 / (1 + np.exp(-log_odds))


@pytest.fixture(scope="module")
def table() -> tuple[dict[str, Any], np.ndarray]:
    generator = np.random.default_rng(1)
    columns: dict[str, Any] = {name: generator.normal(size=ROWS) for name in ("strong", "weak", "unused", "amount")}
    is_code = generator.uniform(size=ROWS) < 0.3
    columns["amount"] = np.where(is_code, np.nan, columns["amount"])
    columns["amount (code)"] = np.where(is_code, "-9", "an amount").astype(object)
    bad = (generator.uniform(size=ROWS) < Formula().predict(columns)[1]).astype(np.int8)
    return columns, bad


def test_features_are_ranked_by_what_they_decide_and_an_unused_one_loses_nothing(
    table: tuple[dict[str, Any], np.ndarray],
) -> None:
    # when
    result = permutation_importance(Formula(), *table)  # type: ignore[arg-type]
    losses = {one["feature"]: one for one in result["features"]}
    # then a number and its codes are one feature
    assert list(losses)[:2] == ["strong", "weak"] or list(losses)[:2] == ["strong", "amount"]
    assert set(losses) == {"strong", "weak", "amount", "unused"}
    assert (losses["unused"]["loss"], losses["unused"]["low"], losses["unused"]["high"]) == (0.0, 0.0, 0.0)
    assert all(losses[name]["low"] > 0 for name in ("strong", "weak", "amount"))


def test_the_loss_is_that_of_the_score_without_the_feature(table: tuple[dict[str, Any], np.ndarray]) -> None:
    # given the loss when the values come from other applications of the same kind
    columns, bad = table
    generator, scores = np.random.default_rng(9), []
    for _ in range(30):
        scores.append(auc(bad, Formula().predict(columns | {"strong": generator.permutation(columns["strong"])})[0]))
    expected = auc(bad, Formula().predict(columns)[0]) - np.mean(scores)
    # when
    result = permutation_importance(Formula(), columns, bad)  # type: ignore[arg-type]
    # then
    strong = next(one for one in result["features"] if one["feature"] == "strong")
    assert strong["loss"] == pytest.approx(expected, abs=0.01)
    assert strong["low"] < expected < strong["high"]


def test_a_large_test_part_is_sampled_with_its_share_of_bad(
    table: tuple[dict[str, Any], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr("experiments.compare.study_page.permutation.FEWEST_SAMPLED", 500)
    monkeypatch.setattr("experiments.compare.study_page.permutation.MOST_SCORED", 2_000)
    # when
    result = permutation_importance(Formula(), *table)  # type: ignore[arg-type]
    # then
    assert (result["rows"], result["of"], result["repeats"]) == (500, ROWS, 1)
