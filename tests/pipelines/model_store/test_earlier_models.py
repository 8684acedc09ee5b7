"""Models that were logged before families had modules of their own are loaded, scored and explained as they were."""

import json
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from pipelines.model_store.files import FILES
from pipelines.model_store.predictor import predictor_in
from pipelines.model_store.registered import RegisteredModel
from tests.pipelines.candidates.test_conformance import nasty

EARLIER = Path(__file__).parent / "earlier_models"


@pytest.mark.parametrize("family", ["scorecard", "catboost", "hist_gradient_boosting"])
def test_an_earlier_model_scores_as_it_did_bit_for_bit(family: str, tmp_path: Path) -> None:
    copytree(EARLIER / family, tmp_path / FILES)
    expected = json.loads((tmp_path / FILES / "expected.json").read_text())
    predictor = predictor_in(tmp_path, RegisteredModel("model", 1, None, "", None, {}, (), 0.0))
    np.testing.assert_array_equal(predictor.log_odds(nasty()), expected["log_odds"])
    np.testing.assert_allclose(predictor.probability_of_bad(nasty()), expected["probability_of_bad"], rtol=1e-14)
    explained = predictor.contributions(nasty())
    assert explained is not None
    assert explained[0] == pytest.approx(expected["base"], rel=1e-14)
    np.testing.assert_allclose(explained[1], expected["contributions"], rtol=1e-12, atol=1e-15)
