"""Importances of parameters, where it is known which of them matters."""

import numpy as np
import pytest

from experiments.search.parameter_importance import FEWEST_TRIALS, parameter_importances
from pipelines.candidates.settings import Range

RANGES = {"rate": Range(0.001, 1.0, log=True), "depth": Range(2, 8), "idle": Range(0.0, 1.0)}


def tried(trials: int) -> list[tuple[dict[str, float | int], float]]:
    """Return trials whose score depends on the logarithm of `rate` alone; `fixed` never varied."""
    generator = np.random.default_rng(0)
    rates, idle = 10 ** generator.uniform(-3, 0, trials), generator.uniform(size=trials)
    depths = generator.integers(2, 9, trials).tolist()
    return [
        ({"rate": float(rate), "depth": depth, "idle": float(one), "fixed": 3}, -((np.log10(rate) + 2) ** 2))
        for rate, depth, one in zip(rates, depths, idle, strict=True)
    ]


def test_the_only_parameter_that_matters_has_nearly_all_importance() -> None:
    # when
    shares = parameter_importances(tried(60), RANGES)
    # then
    assert next(iter(shares)) == "rate"
    assert shares["rate"] > 0.9
    assert sum(shares.values()) == pytest.approx(1.0)
    assert set(shares) == {"rate", "depth", "idle"}


def test_equal_scores_have_no_importances() -> None:
    assert parameter_importances([(parameters, 0.7) for parameters, _ in tried(20)], RANGES) == {}


def test_a_few_trials_are_too_few() -> None:
    with pytest.raises(ValueError, match=f"at least {FEWEST_TRIALS} finished trials, received 3"):
        parameter_importances(tried(3), RANGES)
