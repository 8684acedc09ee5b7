"""What scoring a row costs follows from the size of the model; tests/evidence/test_row_cost.py measures it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines.candidates.families.blend import BlendCandidate, BlendParameters, BlendPart
from pipelines.candidates.registry import family_named, load_model
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import parameters_of
from tests.outside_family import trusting
from tests.pipelines.candidates.test_conformance import (
    CATEGORICAL,
    NUMERIC,
    OWN_FAMILIES,
    a_table,
    settings_of,
    trained,
)

TREES = {
    "catboost": "iterations",
    "hist_gradient_boosting": "max_iter",
    "lightgbm": "num_iterations",
    "xgboost": "n_estimators",
}


def a_sample(numeric: list[str] = NUMERIC) -> Sample:
    table, bad = a_table()
    return Sample.of(table, bad, numeric, CATEGORICAL)


@pytest.mark.parametrize("family", OWN_FAMILIES)
def test_a_loaded_model_costs_what_the_fitted_one_does(family: str, tmp_path: Path) -> None:
    model = trained(family)
    model.save(tmp_path)
    cost = family_named(family).cost
    assert cost(load_model(tmp_path, models=trusting()).scorer) == cost(model.model.scorer) > 0


@pytest.mark.parametrize("family", TREES)
def test_more_trees_cost_more(family: str) -> None:
    few, many = (replace(parameters_of(settings_of(family)), **{TREES[family]: trees}) for trees in (50, 100))
    costs = [
        family_named(family).cost(family_named(family).candidate(one).fit(a_sample(), seed=0, threads=1))
        for one in (few, many)
    ]
    assert costs[0] < costs[1] < 2.2 * costs[0]


def test_a_blend_costs_what_its_models_do() -> None:
    parts = [BlendPart("scorecard", weight=0.5, average=False), BlendPart("catboost", {"iterations": 5}, 0.5)]
    blend = BlendCandidate(BlendParameters(parts)).fit(a_sample(), seed=0, threads=1)
    of_parts = [
        family_named(part.family).cost(model)
        for part, models in zip(parts, blend.models, strict=True)
        for model in models
    ]
    assert len(of_parts) == 6
    assert np.isclose(family_named("blend").cost(blend), sum(of_parts))
