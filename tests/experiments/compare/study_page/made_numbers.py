"""Numbers of a study that was never run: all parts of the page, with names that could break it."""

from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np

from experiments.compare.study_page.front_facts import front_facts
from experiments.compare.study_page.search_facts import search_facts
from experiments.search.stored_studies import State, StoredTrial

HOSTILE = '<script>alert("x")</script>'
LONG = "number_of_people_being_liable_to_provide_maintenance_for_" * 3
CONFIG: dict[str, Any] = {"candidate": {"family": "auto", "space": {}}, "search": "best"}
BEHIND = {"value": 0.004, "low": 0.001, "high": 0.007, "p_value": 0.001, "is_real": True}
ESTIMATE = {"value": 0.78, "low": 0.74, "high": 0.82}


def made_trials(trials: int = 40) -> list[StoredTrial]:
    """Return trials of two families, one pruned, one failed and one far below the others."""
    generator = np.random.default_rng(0)
    stored = []
    for number in range(trials):
        family = "scorecard" if number % 3 == 0 else "lightgbm"
        names = {"smoothing": generator.uniform(1, 50), HOSTILE: int(generator.integers(2, 9))}
        state = {5: State.PRUNED, 6: State.FAIL}.get(number, State.COMPLETE)
        value = 0.5 if number == 7 else 0.78 - names["smoothing"] / 5_000
        values = (value, float(generator.uniform())) if state is State.COMPLETE else ()
        parameters = {"family": family, **names}
        notes = {"cost": 1.2, "seconds": 0.5}
        stored.append(StoredTrial(number, state, values, parameters, notes, None, 0.7))
    return stored


@cache
def _searched() -> dict[str, Any]:
    return search_facts(made_trials(), CONFIG)


def made_search() -> dict[str, Any]:
    """Return the facts of the search of the made trials; a test may change them."""
    return deepcopy(_searched())


def made_numbers() -> dict[str, Any]:
    """Return the numbers of a page on which nothing is missing."""
    differences = [{"loss": 0.03 - 0.002 * place, "low": 0.01 - 0.002 * place, "high": 0.05} for place in range(25)]
    features = [HOSTILE, LONG, *(f"feature {place}" for place in range(23))]
    point = {"step": "half of the rows", "months": None, "rows": 500.0, "folds": 10, "auc": 0.77}
    curve = [{"rows": 10, "predicted": at, "observed": at, "low": at / 2, "high": min(at * 2, 1)} for at in (0.1, 0.4)]
    calibration = {
        "trial": 3,
        "family": "lightgbm",
        "rows": 20,
        "curve": curve,
        "slope": ESTIMATE,
        "intercept": ESTIMATE,
    }
    return {
        "study": "0123456789abcdef",
        "candidate": "auto",
        "model": HOSTILE,
        "run_id": "f" * 32,
        "data": {"rows": 1000, "split": "stratified", "fingerprint": "0", "features": 25},
        "seed": 0,
        "search": made_search(),
        "behind": {"scorecard": BEHIND, "lightgbm": None},
        "front": front_facts(made_trials(), CONFIG),
        "final": {
            "version": 3,
            "label": "blend of 1 (50%), 2 (50%)",
            "cost": 7.2,
            "gain": 0.003,
            "gain_se": 0.001,
            "parts": [{"trial": "1", "family": "lightgbm", "weight": 0.5, "models": 5, "parameters": {HOSTILE: 3}}] * 2,
            "search_auc": 0.79,
            "search_interval": None,
            "test_auc": ESTIMATE,
            "shrinkage": 0.01,
            "test_rows": 300,
            "test_bad": 90,
            "calibration": {"slope": ESTIMATE, "intercept": ESTIMATE},
        },
        "basis": {},
        "refits": {
            "learning_curve": {
                "by": "rows",
                "points": [point | {"difference": -0.01, "low": -0.02, "high": 0.0}],
                "all": {"rows": 1000.0, "auc": 0.78, "folds": 10},
            },
            "ablation": {
                "groups": [
                    {"features": [name], "together": 1, "p_value": 0.1, **one}
                    for name, one in zip(features[:9], differences, strict=False)
                ],
                "folds": 10,
                "auc": 0.78,
            },
            "permutation": {
                "features": [{"feature": name, **one} for name, one in zip(features, differences, strict=True)],
                "rows": 300,
                "of": 300,
                "repeats": 10,
            },
            "calibration": {"trials": [calibration] * 3},
        },
    }
