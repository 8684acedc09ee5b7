"""On a simulated marketplace with a planted proxy a fair search halves the gap at hardly any cost."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.dataset as pds
import pytest
from numpy.typing import NDArray

from experiments.experiment.settings import FairSettings, Search, TuneSettings
from experiments.fair_search.search_fair import search_fair
from experiments.search.tune import tune
from pipelines.applications.applications import Applications, load_applications
from pipelines.applications.settings import DataSettings, Source, SplitSettings
from pipelines.applications.splits import split_applications
from pipelines.candidates.families.scorecard import ScorecardParameters, ScorecardSettings
from pipelines.candidates.settings import Range
from pipelines.credit.approval_gap import approval_rates, approved_at_rate, widest_gap
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace
from tests.evidence.commands import answer
from tests.evidence.conftest import Evidence

pytestmark = pytest.mark.integration  # whole commands, run again and again

Floats = NDArray[np.float64]

MOST_LOST, MOST_LEFT = 0.01, 0.5
RATE = 0.7
FIRST_SEED = 200
"""The planted habit, the size of the search and how a version is chosen were settled on other seeds; these were not
looked at."""

PRUDENCE, SEX, NOISE = 0.36, 1.0, 0.8
"""What the planted habit is made of: a part of true risk, a larger one of sex, and the customer's own taste."""

NUMERIC = [
    *(f"hobby_{days}d" for days in (30, 180)),
    *(f"{name}_180d" for name in ("orders", "mean_order", "paid_by_cash_on_delivery", "discount_rate")),
    *(f"{name}_180d" for name in ("returned_share", "late_share")),
    *("days_since_registration", "days_since_last_order", "principal", "term", "instalment_to_spending"),
    *("applied_at_night", "owed"),
]


@dataclass(frozen=True)
class Verdict:
    """What a version is worth on the untouched test part, by the true probabilities, and the gap that it leaves."""

    gini: float
    gap: float


def test_a_fair_search_halves_the_gap_within_a_hundredth_of_the_best_gini(evidence: Evidence, tmp_path: Path) -> None:
    rounds = evidence.size(full=5, reduced=1)
    customers, trials = evidence.size(full=150_000, reduced=100_000), evidence.size(full=60, reduced=18)
    seeds = range(FIRST_SEED, FIRST_SEED + rounds)
    lost, left, gaps = [], [], []
    for seed in seeds:
        workspace = Workspace.at(str(tmp_path / str(seed)))
        data, truth = plant(workspace, seed, customers)
        settings = settings_of(workspace, data, trials, seed)
        found = search_fair(settings).result
        ordinary = tune(replace(settings, search=Search.best)).result
        most_accurate, chosen = choose(found)
        versions = (int(str(ordinary["version"])), most_accurate, chosen)
        usual, accurate, fair = (judge(settings, version, truth) for version in versions)
        lost.append(max(usual.gini, accurate.gini) - fair.gini)
        left.append(fair.gap / max(usual.gap, accurate.gap))
        gaps.append((max(usual.gap, accurate.gap), fair.gap))
    holds = max(lost) <= MOST_LOST and max(left) <= MOST_LEFT
    before, after = np.mean(gaps, axis=0)
    evidence.record(
        "29-fair-search",
        claim=f"simulated marketplaces with a planted proxy (a habit that tells a little of the true risk and much of "
        f"the sex), {trials} trials of `thinfile tune search=fair`: the version that keeps the same margin within "
        "both bounds in the search, against the most accurate one and that of an ordinary search; on the untouched "
        "test part, Gini by the true probabilities",
        value=f"Gini lower by {np.mean(lost):.4f} (at most {max(lost):.4f}); gap in approval rates {before:.1%} to "
        f"{after:.1%}, {np.mean(left):.0%} of it left (at most {max(left):.0%}); {rounds} marketplaces",
        bound="at most 0.01 lower, at most half of the gap left, in each",
        holds=holds,
    )
    assert holds, (lost, left)


def choose(found: dict[str, Any]) -> tuple[int, int]:
    """Return the most accurate version of a front, and the one that lies furthest within both bounds in the search.

    Folds misjudge Gini and gaps; who would keep both bounds keeps the same share of each as a margin. Neither the test
    part nor the truth has a say in it.
    """
    front, usual = found["front"], found["usual"]
    best = max(usual["cv_gini"], front[0]["cv_gini"])

    def margin(point: dict[str, Any]) -> float:
        lost, left = best - point["cv_gini"], point["cv_gap"] / usual["cv_gap"]
        return min(1 - lost / MOST_LOST, 1 - left / MOST_LEFT)

    return front[0]["version"], max(front, key=margin)["version"]


def plant(workspace: Workspace, seed: int, customers: int) -> tuple[DataSettings, "pd.Series[float]"]:
    """Simulate a marketplace, plant the habit in its training table, and return that and the true probabilities."""
    place, generator = f"workspace={workspace.root}", np.random.default_rng(seed)
    answer("simulate", f"customers={customers}", "months=45", f"seed={seed}", place)
    answer("prepare", "loan.as_of=2025-10-01", "loan=dpd30_at_3_mob", "features=short", place)
    table = pds.dataset(workspace.lake / "marketplace" / "training").to_table().to_pandas()
    table = table.sort_values("application_id", ignore_index=True)
    truth = pds.dataset(workspace.lake / "simulated" / "truth").to_table().to_pandas().set_index("application_id")
    truth = truth.loc[table["application_id"]]
    _, customer = np.unique(table["customer_id"], return_inverse=True)
    taste = generator.normal(size=customer.max() + 1)[customer]
    is_female = (table["sex"] == "female").to_numpy()
    habit = PRUDENCE * truth["latent_prudence"].to_numpy() + SEX * (is_female - 0.5) + NOISE * taste
    for days, blur in ((30, 0.5), (180, 0.2)):
        table[f"hobby_{days}d"] = 1 / (1 + np.exp(1 - habit - blur * generator.normal(size=len(table))))
    path = workspace.lake / "planted.parquet"
    table.to_parquet(path)
    data = DataSettings(source=Source.table, path=str(path), id="application_id", time="applied_at", label="bad",
                        status="status", outcome_known_at="outcome_known_at", protected=["sex"], numeric=NUMERIC,
                        infer=False)  # fmt: skip
    return data, truth["true_pd_dpd30_at_3_mob"]


def settings_of(workspace: Workspace, data: DataSettings, trials: int, seed: int) -> TuneSettings:
    """Return a search over a scorecard whose columns stay in however weak they are."""
    parameters = ScorecardParameters(min_information_value=0.0, min_gain=0.0)
    space = {
        "max_bins": Range(3, 10),
        "min_bin_share": Range(0.01, 0.1, log=True),
        "smoothing": Range(1, 50, log=True),
        "inverse_regularisation": Range(0.03, 3, log=True),
    }
    return TuneSettings(
        workspace=str(workspace.root),
        data=data,
        candidate=ScorecardSettings(space=space, parameters=parameters),
        split=SplitSettings(folds=3),
        search=Search.fair,
        fair=FairSettings("sex", RATE),
        trials=trials,
        seed=seed,
        threads=1,
    )


def judge(settings: TuneSettings, number: int, truth: "pd.Series[float]") -> Verdict:
    """Judge a version on the test part, which no search saw."""
    test, store = untouched_part(settings), ModelStore(Workspace.at(settings.workspace))
    risk = load_predictor(store, store.version(settings.model, number)).probability_of_bad(test.features)
    probability = truth.loc[test.ids.astype(np.int64)].to_numpy()
    groups: NDArray[Any] = test.protected["sex"].astype(object).to_numpy()
    gap = widest_gap(approval_rates(approved_at_rate(risk, RATE), groups, minimum=100))
    return Verdict(expected_gini(probability, risk), gap)


def untouched_part(settings: TuneSettings) -> Applications:
    applications = load_applications(settings.data, Workspace.at(settings.workspace))
    return applications.take(split_applications(applications, settings.split).test)


def expected_gini(probability: Floats, risk: Floats) -> float:
    """Return the Gini of a score over outcomes that are drawn from their true probabilities, both of shape (n,).

    The chance that of two applications, one bad and one good, the bad one scores higher: pairs weighed by p (1 - p').
    """
    good = 1 - probability
    levels, places = np.unique(risk, return_inverse=True)
    at = np.bincount(places, weights=good, minlength=len(levels))
    below = (at.cumsum() - at / 2)[places] - good / 2  # nobody is compared with himself
    pairs = probability.sum() * good.sum() - probability @ good
    return float(2 * (probability @ below) / pairs - 1)


def test_the_expected_gini_is_the_mean_over_outcomes_drawn_from_the_probabilities() -> None:
    from pipelines.credit.discrimination import auc

    generator = np.random.default_rng(1)
    probability = generator.uniform(0.05, 0.6, 400)
    risk = np.round(probability + generator.normal(0, 0.2, 400), 1)
    drawn = [2 * auc((generator.random(400) < probability).astype(np.int8), risk) - 1 for _ in range(1_000)]
    assert abs(np.mean(drawn) - expected_gini(probability, risk)) < 0.01
