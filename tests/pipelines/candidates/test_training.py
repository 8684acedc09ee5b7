"""What is said about a candidate was measured on rows that it had not seen."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pipelines.applications.meanings import Meaning
from pipelines.applications.splits import Fold
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.portable_model import Columns
from pipelines.candidates.registry import candidate_of
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CalibrationMethod
from pipelines.candidates.training import held_out_log_odds, train
from pipelines.credit.discrimination import auc

ROWS = 300
FOLDS = [Fold(np.flatnonzero(np.arange(ROWS) % 3 != part), np.arange(part, ROWS, 3)) for part in range(3)]
SURE = 5.0


class Memory:
    """Knows the outcomes of the rows it was fitted on and shrugs at all others."""

    def __init__(self, sample: Sample) -> None:
        self.seen = dict(zip(sample.columns["row"], sample.bad, strict=True))

    def log_odds(self, columns: Columns) -> NDArray[np.float64]:
        return np.array([SURE * (2 * self.seen[row] - 1) if row in self.seen else 0.0 for row in columns["row"]])


class MemoryCandidate:
    """Learns by heart."""

    family = "memory"

    def __init__(self) -> None:
        self.parameters = None
        self.asked: list[tuple[int, int, int]] = []

    def fit(self, sample: Sample, *, seed: int, threads: int) -> Memory:
        self.asked.append((len(sample.bad), seed, threads))
        return Memory(sample)

    def save(self, scorer: Memory, folder: Path) -> dict[str, object]:  # noqa: ARG002
        return {"note": "nothing"}


@pytest.fixture
def sample() -> Sample:
    bad = np.random.default_rng(0).integers(0, 2, ROWS).astype(np.int8)
    return Sample.of(pd.DataFrame({"row": np.arange(ROWS, dtype=float)}), bad, ["row"], [])


def test_held_out_rows_were_never_seen(sample: Sample) -> None:
    found = held_out_log_odds(MemoryCandidate(), sample, FOLDS, seed=0, threads=1)
    assert [len(one) for one in found] == [len(fold.held_out) for fold in FOLDS]
    assert not np.concatenate(found).any()


def test_held_out_answers_are_in_the_order_of_the_fold(sample: Sample) -> None:
    leaking = [Fold(np.arange(ROWS), np.array([5, 3, 200]))]  # held out and fitted on: the memory knows
    (found,) = held_out_log_odds(MemoryCandidate(), sample, leaking, seed=0, threads=1)
    np.testing.assert_array_equal(found > 0, sample.bad[[5, 3, 200]] == 1)


def test_a_model_that_learnt_by_heart_is_not_trusted(sample: Sample) -> None:
    # given a candidate that is perfect on what it saw
    trained = train(MemoryCandidate(), sample, FOLDS, CalibrationMethod.logistic, seed=0, threads=1)
    assert auc(sample.bad, trained.model.log_odds(sample.columns)) == 1.0
    # then its map, fitted on what it had not seen, takes the certainty back
    assert trained.model.probability_of_bad(sample.columns) == pytest.approx(sample.bad.mean(), abs=0.01)


def test_one_model_on_all_rows_and_one_per_fold(sample: Sample) -> None:
    candidate = MemoryCandidate()
    train(candidate, sample, FOLDS, CalibrationMethod.isotonic, seed=11, threads=2)
    assert candidate.asked == [(ROWS, 11, 2)] + [(200, 11, 1)] * 3  # these share the two threads


def test_the_card_says_what_a_reader_needs(sample: Sample, tmp_path: Path) -> None:
    trained = train(MemoryCandidate(), sample, FOLDS, CalibrationMethod.none, seed=0, threads=1)
    trained.save(tmp_path)
    card = pd.read_json(tmp_path / "model.json", typ="series")
    assert card["family"] == "memory"
    assert (card["numeric"], card["categorical"]) == (["row"], [])
    assert card["calibration"]["method"] == "none"
    assert card["note"] == "nothing"


def test_the_card_says_what_features_mean_and_what_is_usual() -> None:
    table = pd.DataFrame({"income": [1.0, 2.0, 9.0, np.nan] * 75, "channel": ["b", "a", "b", None] * 75})
    meanings = {"income": Meaning("income after tax", "means")}
    bad = (np.arange(ROWS) % 2).astype(np.int8)
    learnt = Sample.of(table.assign(row=np.arange(ROWS, dtype=float)), bad, ["income", "row"], ["channel"], meanings)
    trained = train(MemoryCandidate(), learnt, FOLDS, CalibrationMethod.none, seed=0, threads=1)
    assert trained.model.card["meanings"] == {
        "income": {"meaning": "income after tax", "group": "means", "usual": 2.0},
        "row": {"meaning": "row", "group": "row", "usual": (ROWS - 1) / 2},
        "channel": {"meaning": "channel", "group": "channel", "usual": "b"},
    }


def test_a_real_candidate_is_calibrated_on_average(sample: Sample) -> None:
    generator = np.random.default_rng(1)
    income = generator.normal(size=ROWS)
    bad = (generator.random(ROWS) < 1 / (1 + np.exp(1 + income))).astype(np.int8)
    informed = Sample.of(pd.DataFrame({"income": income}), bad, ["income"], [])
    candidate = candidate_of(ScorecardSettings())
    trained = train(candidate, informed, FOLDS, CalibrationMethod.logistic, seed=0, threads=1)
    expected = trained.model.probability_of_bad(informed.columns).mean()
    assert expected == pytest.approx(bad.mean(), abs=3 * np.sqrt(bad.var() / ROWS))
