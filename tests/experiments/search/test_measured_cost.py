"""The measured cost of a row counts the time of the model on the rows of a batch, each one once."""

import time
from typing import Any, cast

import numpy as np
import pytest

from experiments.search.measured_cost import ROWS, measured_cost
from pipelines.candidates.portable_model import Levels, Model

MICROSECONDS = 5.0


class SlowScorer:
    """Keeps the processor busy for a known time per row."""

    def __init__(self) -> None:
        self.batches: list[dict[str, Any]] = []

    def log_odds(self, columns: dict[str, Any]) -> Any:
        self.batches.append(columns)
        ends = time.process_time() + MICROSECONDS * 1e-6 * len(columns["income"])
        while time.process_time() < ends:
            pass
        return np.zeros(len(columns["income"]))


def test_the_cost_is_the_processor_time_of_a_row() -> None:
    scorer = SlowScorer()
    card = {
        "numeric": ["income"],
        "categorical": ["city"],
        "calibration": {"method": "logistic", "slope": 1.0, "intercept": 0.0},
    }
    columns = {"income": np.array([1, 2, 3]), "city": np.array(["a", None, "b"], object)}
    cost = measured_cost(Model(card, cast(Any, scorer)), columns)
    assert cost == pytest.approx(MICROSECONDS, rel=0.2)
    batch = scorer.batches[0]
    assert batch["income"].tolist()[:4] == [1.0, 2.0, 3.0, 1.0]
    assert len(batch["income"]) == len(batch["city"]) == ROWS
    assert isinstance(batch["city"], Levels)
    assert [[*batch["city"].names, None][code] for code in batch["city"].codes[:4]] == ["a", None, "b", "a"]
