"""Parameters that a family cannot have are refused before any work, and the limits are those of its library."""

import re
from dataclasses import asdict, replace
from math import inf

import numpy as np
import pytest

from pipelines.candidates.candidate import Family
from pipelines.candidates.families.catboost import CatBoostParameters, CatBoostSettings
from pipelines.candidates.families.hist_gradient_boosting import (
    HistGradientBoostingParameters,
    HistGradientBoostingSettings,
)
from pipelines.candidates.families.scorecard import ScorecardParameters, ScorecardSettings
from pipelines.candidates.registry import candidate_of, families
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CandidateSettings, Range, parameters_of
from pipelines.errors import ConfigurationError
from tests.pipelines.candidates.test_conformance import SMALL, a_table


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            CatBoostSettings(parameters=CatBoostParameters(depth=20)),
            "candidate.parameters.depth is 20; use a number from 1 to 16",
        ),
        (
            CatBoostSettings(space={"depth": Range(4, 17)}),
            "candidate.space.depth.high is 17; use a number from 1 to 16",
        ),
        (
            CatBoostSettings(space={"iterations": Range(0, 100)}),
            "candidate.space.iterations.low is 0; use a number of at least 1",
        ),
        (
            ScorecardSettings(parameters=ScorecardParameters(smoothing=0)),
            "parameters.smoothing is 0; use a number of at least 1e-06",
        ),
        (
            HistGradientBoostingSettings(parameters=HistGradientBoostingParameters(max_features=1.5)),
            "max_features is 1.5; use",
        ),
        (
            CatBoostSettings(parameters=CatBoostParameters(learning_rate=float("nan"))),
            "learning_rate is nan; use a number from",
        ),
    ],
)
def test_values_that_a_family_cannot_have_are_refused_before_any_work(
    settings: CandidateSettings, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        candidate_of(settings)


@pytest.mark.parametrize("family", families().values(), ids=lambda family: family.name)
def test_the_defaults_of_a_family_lie_in_its_limits_and_every_parameter_has_some(family: Family) -> None:
    settings = family.default_settings()
    candidate_of(settings)
    numbers = {name for name, value in asdict(parameters_of(settings)).items() if isinstance(value, int | float)}
    assert set(family.limits) == numbers


@pytest.mark.parametrize("family", families().values(), ids=lambda family: family.name)
@pytest.mark.parametrize("end", ["low", "high"])
def test_a_family_fits_at_the_ends_of_its_limits(family: Family, end: str) -> None:
    table, bad = a_table(200)
    sample = Sample.of(table, bad, ["income"], ["channel"])
    for name, limits in family.limits.items():
        value = getattr(limits, end)
        settings = SMALL.get(family.name) or family.settings()
        if value < inf:
            parameters = parameters_of(settings)
            changed = replace(parameters, **{name: type(getattr(parameters, name))(value)})
            fitted = candidate_of(replace(settings, parameters=changed)).fit(sample, seed=0, threads=1)
            assert np.isfinite(fitted.log_odds(sample.columns)).all(), name
