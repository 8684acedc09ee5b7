"""The scorecard's weights by hand, and its points table against its own answers."""

import numpy as np
import pytest

from pipelines.candidates.families.scorecard import Scorecard, ScorecardCandidate, ScorecardParameters, points_table
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import CalibrationMethod
from pipelines.candidates.training import train
from pipelines.credit.points import PointsScale, points
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


def test_weighted_rows_are_counted_by_their_weights() -> None:
    # each of the 100 from the app counts for 3: 300, 120 bad; beside 300 from the web, 20 bad: 140 bad to 460 good
    channel = np.array(["app"] * 100 + ["web"] * 300, dtype=object)
    bad = np.array([1] * 40 + [0] * 60 + [1] * 20 + [0] * 280, dtype=np.int8)
    sample = Sample({"channel": channel}, bad, (), ("channel",), weights=np.array([3.0] * 100 + [1.0] * 300))
    card = ScorecardCandidate(ScorecardParameters(smoothing=1e-9)).fit(sample, seed=0, threads=1)
    (column,) = card.table["columns"]
    assert (column["rows"], column["bad"]) == ([0, 300, 300], [0, 120, 20])
    expected = [np.log((120 / 180) / (140 / 460)), np.log((20 / 280) / (140 / 460))]
    assert column["weights"][1:] == pytest.approx(expected)


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


BY_HAND = Scorecard(
    {
        "intercept": -1.0,
        "columns": [
            {"name": "income", "edges": [10.0, 20.0], "weights": [0.5, 2.0, 1.0, -1.0], "coefficient": 0.5},
            {"name": "channel", "levels": {"app": 1, "web": 2}, "weights": [0.1, 0.4, -0.4], "coefficient": 2.0},
        ],
    }
)


@pytest.mark.parametrize(
    ("income", "channel", "log_odds"),
    [
        (10.0, "app", -1 + 0.5 * 2 + 2 * 0.4),  # a bin is closed on the right
        (10.1, "web", -1 + 0.5 * 1 - 2 * 0.4),
        (1e30, "app", -1 - 0.5 * 1 + 2 * 0.4),
        (np.nan, None, -1 + 0.5 * 0.5 + 2 * 0.1),  # what is missing has a weight of its own
        (10.0, "post", -1 + 0.5 * 2),  # what was never seen says nothing
    ],
)
def test_log_odds_by_hand(income: float, channel: str | None, log_odds: float) -> None:
    found = BY_HAND.log_odds({"income": np.array([income]), "channel": np.array([channel], dtype=object)})
    assert found == pytest.approx([log_odds])


@pytest.mark.parametrize("method", [CalibrationMethod.none, CalibrationMethod.logistic])
def test_the_table_is_what_a_person_needs_to_score_by_hand(method: CalibrationMethod) -> None:
    table, bad = a_table()
    sample = Sample.of(table, bad, NUMERIC, CATEGORICAL)
    model = train(ScorecardCandidate(ScorecardParameters()), sample, folds_of(ROWS), method, seed=0, threads=1).model
    told = points_table(model.scorer, model.card["calibration"], PointsScale())
    assert list(told) == ["column", "bin", "rows", "bad_rate", "weight_of_evidence", "points"]
    for _, bins in told[told["column"] != "(start)"].groupby("column"):
        assert bins["rows"].sum() == ROWS
        filled = bins[(bins["rows"] > 0) & (bins["bad_rate"] != bad.mean())]
        assert ((filled["bad_rate"] > bad.mean()) == (filled["points"] < 0)).all()


def test_every_bin_of_numbers_holds_its_share() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    bad = (values + np.random.default_rng(1).normal(size=1000) > 1).astype(np.int8)
    parameters = ScorecardParameters(max_bins=5, min_bin_share=0.1)
    sample = Sample({"x": values}, bad, ("x",), ())
    (column,) = ScorecardCandidate(parameters).fit(sample, seed=0, threads=1).table["columns"]
    assert 2 <= len(column["edges"]) + 1 <= 5
    assert min(column["rows"][1:]) >= 100


def test_a_level_that_is_rare_shares_a_bin() -> None:
    channel = np.array(["app"] * 500 + ["web"] * 480 + ["fax"] * 10 + ["post"] * 10, dtype=object)
    bad = (np.arange(1000) % 3 == 0).astype(np.int8)
    bad[980:] = 1
    (column,) = (
        ScorecardCandidate(ScorecardParameters())
        .fit(Sample({"channel": channel}, bad, (), ("channel",)), seed=0, threads=1)
        .table["columns"]
    )
    assert column["labels"] == ["missing", "app", "web", "other"]
    assert column["rows"] == [0, 500, 480, 20]
    assert column["levels"]["fax"] == column["levels"]["post"] == 3


def test_months_are_cut_where_they_differ() -> None:
    months = np.repeat([202401.0, 202402.0, 202403.0, 202404.0, 202405.0, 202406.0], 50)
    bad = np.where(months <= 202403, np.arange(300) % 5 == 0, np.arange(300) % 2 == 0).astype(np.int8)
    sample = Sample({"month": months}, bad, ("month",), ())
    (column,) = ScorecardCandidate(ScorecardParameters(max_bins=2)).fit(sample, seed=0, threads=1).table["columns"]
    assert column["rows"] == [0, 150, 150]
