"""The summary of a search fits a terminal of 80 columns, however many parts and parameters a model has."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from experiments.experiment.experiment import Experiment
from experiments.search.finalists import Finalist
from experiments.search.study import Ended
from experiments.search.summary import summary_of
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import MEASURED_COST

EXPERIMENT = cast(
    Experiment, SimpleNamespace(family="auto", study="0123456789abcdef", split=SimpleNamespace(advice=None))
)
VERSION = cast(RegisteredModel, SimpleNamespace(name="credit_score", version=1, tags={MEASURED_COST: "8.02"}))
MEASURE = {"value": 0.78, "low": 0.768, "high": 0.791}
EVALUATION = {"rows": 9003, "bad": 1994, "measures": dict.fromkeys(("auc", "gini", "ks", "brier"), MEASURE)}
PARAMETERS = {f"min_samples_per_leaf_{number}": 0.0123456 * number for number in range(9)}
PART = {"family": "hist_gradient_boosting", "parameters": PARAMETERS, "weight": 0.125, "average": True}


def lines_of(finalist: Finalist) -> list[str]:
    ended = Ended(finished=11, pruned=18, failed=1, leading=30)
    return summary_of(EXPERIMENT, VERSION, finalist, ended, EVALUATION, is_new=True)


def finalist(label: str, parameters: Any, trials: int) -> Finalist:
    return Finalist(label, 0.7889, parameters, dict.fromkeys(range(trials), 1 / trials), cost=19.94)


@pytest.mark.parametrize(
    "model",
    [
        finalist("0", PARAMETERS, 1),
        finalist("0", {"family": "hist_gradient_boosting", **PARAMETERS}, 1),
        finalist("average of 0", {"parts": [PART | {"weight": 1.0}]}, 1),
        finalist("blend of " + ", ".join(f"{number} (12%)" for number in range(8)), {"parts": [PART] * 8}, 8),
    ],
    ids=["single", "of a family", "average", "blend"],
)
def test_no_line_is_longer_than_80(model: Finalist) -> None:
    assert [line for line in lines_of(model) if len(line) > 80] == []


def test_a_blend_lists_its_parts_by_weight() -> None:
    parts = [PART | {"weight": 0.25}, PART | {"family": "scorecard", "weight": 0.75, "average": False}]
    lines = lines_of(Finalist("blend of 4 (25%), 0 (75%)", 0.7889, {"parts": parts}, {4: 0.25, 0: 0.75}, cost=8.0))
    assert lines[:5] == [
        "auto: blend of 2 trials, cross-validated AUC 0.7889",
        "  75% scorecard (trial 0)",
        "  25% hist_gradient_boosting, averaged over the folds (trial 4)",
        "  8 microseconds per row on one core by its size; measured: 8.02",
        "  30 trials: 11 finished, 18 given up as hopeless, 1 failed",
    ]


def test_the_family_is_named_where_several_are_searched() -> None:
    lines = lines_of(finalist("0", {"family": "scorecard", "max_bins": 6, "smoothing": 20.0}, 1))
    assert lines[1] == "  scorecard: max_bins 6, smoothing 20"


def test_a_parameter_stays_beside_its_value() -> None:
    lines = lines_of(finalist("3", PARAMETERS, 1))
    assert lines[0] == "auto: best trial 0, cross-validated AUC 0.7889"
    for name, value in PARAMETERS.items():
        assert any(f"{name} {value:.4g}" in line for line in lines)
