"""The scorecard's weights by hand, and its points table against its own answers."""

import numpy as np
import pytest

from pipelines.candidates.sample import Sample
from pipelines.candidates.scorecard import ScorecardCandidate, points_table
from pipelines.credit.points import PointsScale, points
from pipelines.settings import CalibrationMethod, ScorecardParameters
from pipelines.training import train
from tests.pipelines.candidates.test_conformance import CATEGORICAL, NUMERIC, ROWS, a_table, folds_of


def test_weights_of_evidence_of_two_bins_by_hand() -> None:
    # 100 from the app, 40 bad; 300 from the web, 20 bad: overall 60 bad to 340 good.
    channel = np.array(["app"] * 100 + ["web"] * 300, dtype=object)
    bad = np.array([1] * 40 + [0] * 60 + [1] * 20 + [0] * 280, dtype=np.int8)
    sample = Sample({"channel": channel}, bad, (), ("channel",))
    card = ScorecardCandidate(ScorecardParameters(smoothing=1e-9)).fit(sample, seed=0, threads=1)
    (column,) = card.table["columns"]
    expected = [np.log((40 / 60) / (60 / 340)), np.log((20 / 280) / (60 / 340))]
    assert column["labels"] == ["missing", "app", "web"]
    assert column["weights"][1:] == pytest.approx(expected)
    assert column["information_value"] == pytest.approx(
        (40 / 60 - 60 / 340) * expected[0] + (20 / 60 - 280 / 340) * expected[1]
    )


def test_points_of_the_table_add_up_to_the_points_of_an_application() -> None:
    table, bad = a_table()
    sample = Sample.of(table, bad, NUMERIC, CATEGORICAL)
    candidate = ScorecardCandidate(ScorecardParameters())
    trained = train(candidate, sample, folds_of(ROWS), CalibrationMethod.logistic, seed=0, threads=1)
    scale = PointsScale(lowest=0, highest=2000)
    told = points_table(trained.model.scorer, trained.model.card["calibration"], scale)
    for row in range(20):
        total = told.loc[told["column"] == "(start)", "points"].item()
        for column in trained.model.scorer.table["columns"]:
            value = sample.columns[column["name"]][row]
            place = _place(column, value)
            rows = told[told["column"] == column["name"]]
            total += rows["points"].iloc[place] if place is not None else 0.0
        found = points(trained.model.probability_of_bad(sample.take(np.array([row])).columns), scale)[0]
        assert total == pytest.approx(found, abs=1.0)  # each line of the table is rounded to 0.1, the total to 1


def test_no_coefficient_contradicts_its_evidence() -> None:
    table, bad = a_table()
    card = ScorecardCandidate(ScorecardParameters()).fit(Sample.of(table, bad, NUMERIC, CATEGORICAL), seed=0, threads=1)
    assert all(column["coefficient"] >= 0 for column in card.table["columns"])


def _place(column: dict, value: object) -> int | None:
    if "edges" in column:
        return 0 if np.isnan(value) else 1 + sum(value > edge for edge in column["edges"])
    return 0 if value is None else column["levels"].get(value)
