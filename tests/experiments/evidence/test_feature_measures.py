"""What the document says about features is what an independent computation finds."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from experiments.evidence.correlations import rank_correlations, strongest_of
from experiments.evidence.evaluation_set import EvaluationSet, ScoredVersion, evaluation_set_of
from experiments.evidence.feature_bins import bins_of
from experiments.evidence.feature_effects import direction_of, importance, partial_effects, values_of_bins
from experiments.evidence.feature_measures import feature_measures
from experiments.evidence.left_out import left_out
from experiments.evidence.score_bands import score_bands
from experiments.evidence.settings import EvaluationSetSettings
from experiments.experiment.settings import TuneSettings
from experiments.search.tune import tune
from pipelines.applications.settings import DataSettings, RiskDirection, Source
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.registry import family_named
from pipelines.credit.information_value import information_value, weights_of_evidence
from pipelines.credit.points import PointsScale, points
from pipelines.model_store.store import ModelStore
from pipelines.policy.pack import GateSettings, PolicySettings
from pipelines.storage.workspace import Workspace

ROWS = 2400
SCALE = PointsScale()


def table() -> pd.DataFrame:
    """Applications in which income lowers and debt raises the risk, noise does nothing, and columns are no features."""
    generator = np.random.default_rng(5)
    income, noise = generator.normal(size=(2, ROWS))
    debt = 0.3 * income + 0.9 * generator.normal(size=ROWS)
    channel = generator.choice(["app", "web"], ROWS, p=[0.7, 0.3])
    logit = -1.2 - 1.1 * income + 1.1 * debt + 1.4 * (channel == "web")
    bad = generator.random(ROWS) < 1 / (1 + np.exp(-logit))
    return pd.DataFrame(
        {
            "id": [f"A{row:05d}" for row in range(ROWS)],
            "income": np.where(generator.random(ROWS) < 0.1, np.nan, income),
            "debt": debt,
            "noise": noise,
            "channel": channel,
            "currency": "EUR",
            "debt_copy": debt,
            "sex": generator.choice(["F", "M"], ROWS),
            "remark": "none",
            "paid": np.where(bad, 0.4, 1.0) + 0.05 * generator.normal(size=ROWS),
            "bad": bad.astype(int),
        }
    )


Measured = tuple[ScoredVersion, EvaluationSet, dict[str, Any]]


def measured(folder: Path, family: str) -> Measured:
    path = folder / "table.parquet"
    table().to_parquet(path)
    roles: dict[str, Any] = {"id": "id", "label": "bad", "protected": ["sex"], "ignored": ["remark", "paid"]}
    roles["directions"] = {"income": RiskDirection.safer, "debt": RiskDirection.riskier}
    data = DataSettings(source=Source.table, path=str(path), **roles)
    workspace = Workspace.at(str(folder / "workspace"))
    candidate = family_named(family).default_settings()
    if isinstance(candidate, ScorecardSettings):
        candidate.space, candidate.parameters.min_information_value = {}, 0.08  # which leaves noise out
    tune(TuneSettings(workspace=str(workspace.root), data=data, candidate=candidate, trials=1))
    store = ModelStore(workspace)
    version = store.version("credit_score", 1)
    scored = ScoredVersion.of(store, version)
    evaluation_set = evaluation_set_of(EvaluationSetSettings(), workspace, store, version)
    parts = scored.read(evaluation_set.development), scored.read(evaluation_set.test)
    return scored, evaluation_set, feature_measures(scored, *parts, SCALE, seed=0)


@pytest.fixture(scope="module")
def scorecard(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    return measured(tmp_path_factory.mktemp("scorecard"), "scorecard")


def by_name(measures: dict[str, Any]) -> dict[str, Any]:
    return {one["feature"]: one for one in measures["features"]}


def test_the_features_that_matter_come_first(scorecard: Measured) -> None:
    names = [one["feature"] for one in scorecard[2]["features"]]
    assert set(names) == {"income", "debt", "noise", "channel"}
    assert names[-1] == "noise"


def test_the_points_of_the_bins_add_up_to_the_points_of_each_application(scorecard: Measured) -> None:
    scored, evaluation_set, measures = scorecard
    test = scored.read(evaluation_set.test)
    whole = points(scored.predict(evaluation_set.test), SCALE)
    total = np.zeros(len(test))
    for name, one in by_name(measures).items():
        if one["effect"] != "points":
            continue
        bins = {str(row["bin"]): row["points"] for row in one["bins"]}
        values = test.features[name]
        total += [bins[_bin(list(bins), value)] for value in values]
    # then they differ by the points that all applications start with, but for rounding and the ends of the scale
    inside = (whole > SCALE.lowest) & (whole < SCALE.highest)
    start = (whole - total)[inside]
    assert start.max() - start.min() <= 1.01


def _bin(labels: list[str], value: Any) -> str:
    """Return the bin of a value, read from the names of the bins."""
    if value is None or value != value:
        return "missing"
    if isinstance(value, str):
        return value
    for label in labels:
        words = label.split()
        ends = [float(word) for word in words if word not in ("up", "to", "above", "missing")]
        low = ends[0] if words[0] == "above" or len(ends) == 2 else -np.inf
        high = ends[-1] if "to" in words else np.inf
        if ends and low < value <= high:
            return label
    raise AssertionError(value)


def test_counts_gaps_and_directions_are_those_of_the_table(scorecard: Measured) -> None:
    scored, evaluation_set, measures = scorecard
    features, development = by_name(measures), scored.read(evaluation_set.development)
    income = development.features["income"]
    assert features["income"]["missing"]["development"] == pytest.approx(income.isna().mean(), rel=1e-5)
    assert sum(row["rows"] for row in features["income"]["bins"]) == len(development)
    assert sum(row["bad"] for row in features["income"]["bins"]) == development.outcomes.sum()
    assert features["income"]["range"] == pytest.approx(income.quantile([0.01, 0.99]).tolist(), abs=0.05)
    directions = {name: (one["direction_in_data"], one["direction_in_model"]) for name, one in features.items()}
    assert directions["income"] == ("safer", "safer")
    assert directions["debt"] == ("riskier", "riskier")
    assert directions["noise"][0] == "none"
    assert directions["channel"] == (None, None)
    assert features["debt"]["strongest_correlation"]["feature"] == "income"


def test_weights_and_information_by_hand() -> None:
    good, bad = np.array([89, 9]), np.array([9, 9])
    shares_of_good, shares_of_bad = np.array([89.5, 9.5]) / 99, np.array([9.5, 9.5]) / 19
    expected = np.log(shares_of_bad / shares_of_good)
    np.testing.assert_allclose(weights_of_evidence(good, bad), expected)
    assert information_value(good, bad) == pytest.approx(((shares_of_bad - shares_of_good) * expected).sum())


def test_rank_correlations_are_those_of_pandas(scorecard: Measured) -> None:
    scored, evaluation_set, _ = scorecard
    development = scored.read(evaluation_set.development)
    found = rank_correlations(development, ["debt", "noise"], ["debt", "noise"], seed=0)
    expected = development.features[["debt", "noise"]].rank().corr().to_numpy()
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert strongest_of(found, ["debt", "noise"], 0) == {"feature": "noise", "value": round(expected[0, 1], 3)}
    assert strongest_of(np.ones((1, 1)), ["debt"], 0) is None


def test_what_was_left_out_is_named_with_its_reason(scorecard: Measured) -> None:
    scored, evaluation_set, measures = scorecard
    reasons = {
        one["column"]: one["why"]
        for one in left_out(scored, evaluation_set, measures, {"findings": {}}, GateSettings())
    }
    assert reasons | {"noise": ""} == {
        "id": "identifier",
        "bad": "outcome",
        "sex": "protected attribute",
        "remark": "left out by data.ignored",
        "paid": "left out by data.ignored; possible leak: AUC 1.000 on its own",
        "currency": "'EUR' in every row",
        "debt_copy": "equal to debt",
        "noise": "",
    }
    assert reasons["noise"].startswith("among the features and not used by the model (information value 0.0")
    late = {"findings": {"paid_late": ["AUC 0.981 on its own"]}}
    found = left_out(scored, evaluation_set, measures, late, GateSettings())
    assert {"column": "paid_late", "why": "possible leak: AUC 0.981 on its own"} in found


class Linear:
    """A model of another tool: it gives no contributions, and its risk is that of one number."""

    numeric, categorical = ["x", "y"], ["kind"]

    def contributions(self, features: pd.DataFrame) -> None:  # noqa: ARG002
        return None

    def probability_of_bad(self, features: pd.DataFrame) -> NDArray[np.float64]:
        risk = features["x"].fillna(0.0).to_numpy(float) + (features["kind"] == "b").to_numpy(float)
        return np.asarray(1 / (1 + np.exp(-risk)))


def test_a_model_without_contributions_is_measured_by_shuffling_and_moving() -> None:
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(2, 1000))
    features = pd.DataFrame({"x": x, "y": y, "kind": generator.choice(["a", "b", None], 1000)})
    model: Any = Linear()
    bad = (generator.random(1000) < model.probability_of_bad(features)).astype(np.int8)
    how, sizes = importance(model, features, bad, seed=0)
    assert how.startswith("loss of AUC")
    assert sizes["x"] > sizes["kind"] > sizes["y"] == 0
    # when: the feature alone is moved to each of its bins
    bins = bins_of("x", x, is_number=True)
    values = values_of_bins(bins, np.append(x, np.nan))
    assert np.isnan(values[0])
    effects = partial_effects(model, features, {"x": values, "y": values[1:]}, seed=0)
    assert direction_of(effects["x"][1:]) == "riskier"
    assert direction_of(effects["y"]) == "none"
    levels = bins_of("kind", features["kind"].astype(object).where(features["kind"].notna(), None).to_numpy(),
                     is_number=False)  # fmt: skip
    assert levels.labels == ("missing or new", "a", "b")
    moved = partial_effects(model, features, {"kind": ["", "a", "b"]}, seed=0)["kind"]
    assert moved[0] == moved[1] < moved[2]  # type: ignore[operator]


def test_bands_count_outcomes_and_all_applicants() -> None:
    policy = PolicySettings(bands=[550, 600], approve_from=550)
    probability = np.array([0.5, 0.5, 0.06, 0.001])
    bands = score_bands(np.array([1, 0, 0, 0], np.int8), probability, np.append(probability, 0.001), policy)
    assert [(one["band"], one["rows"], one["bad"], one["applicants"]) for one in bands] == [
        ("350-549", 2, 1, 2),
        ("550-599", 0, 0, 0),
        ("600-950", 2, 0, 3),
    ]
    assert (bands[0]["bad_rate"], bands[0]["mean_pd"], bands[1]["bad_rate"]) == (0.5, 0.5, None)


@pytest.mark.integration
@pytest.mark.parametrize("family", ["hist_gradient_boosting", "blend"])
def test_trees_have_importance_and_partial_effects(family: str, tmp_path: Path) -> None:
    _, _, measures = measured(tmp_path, family)
    features = by_name(measures)
    assert measures["importance_is"].startswith("mean contribution")
    assert {one["effect"] for one in features.values()} == {"mean PD"}
    effects = [row["mean_pd"] for row in features["debt"]["bins"] if row["bin"] != "missing"]
    assert effects[0] < effects[-1]
    web, app = ({row["bin"]: row["mean_pd"] for row in features["channel"]["bins"]}[name] for name in ("web", "app"))
    assert web > app
