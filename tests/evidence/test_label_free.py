"""Simulated: performance without labels under a change of mix, and what labels alone can see of a change of concept."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from experiments.experiment.experiment import resolve
from experiments.experiment.settings import TuneSettings
from monitoring.outcomes.earlier_loans import EarlierLoans
from monitoring.outcomes.marketplace_outcomes import MarketplaceOutcomes, outcomes_of_marketplace
from monitoring.outcomes.performance import PerformanceReport, measure_performance
from monitoring.outcomes.stored_estimates import StoredEstimates
from pipelines.applications.applications import Applications, load_applications
from pipelines.applications.settings import SplitSettings
from pipelines.applications.ttd_population import decided_ttd_population
from pipelines.candidates.portable_model import columns_of
from pipelines.candidates.registry import family_named
from pipelines.candidates.settings import CalibrationMethod
from pipelines.candidates.training import train
from pipelines.credit.label_free import label_free_performance
from pipelines.credit.loan import DEFINITIONS, LoanContract
from pipelines.storage.workspace import Workspace
from tests.evidence.commands import answer
from tests.evidence.conftest import Evidence
from tests.experiments.marketplaces import data_of, leaking

pytestmark = pytest.mark.integration  # simulates markets and fits many models

EARLY, FULL = "dpd30_at_3_mob", "dpd90_in_12_months"
CHANGED, AS_OF = "2026-01", "2027-07-01"
"""The model learns what was known when the change begins; it is watched from a year before until it ends."""

UNTOUCHED = "2025-10"
"""Loans of earlier vintages were three months on book before the change, which acts on all that is due after it."""

LARGEST_ERROR = 0.01
SPLIT = SplitSettings(test=0.5)
"""Half of the loans are kept from the model: they say how far its PDs are right."""

FAMILY = "hist_gradient_boosting"

Floats = NDArray[np.float64]
Model = Callable[[Applications], Floats]


@dataclass
class Market:
    """A simulated marketplace: all who asked, their outcomes, and their true PDs by id."""

    asked: Applications
    known: MarketplaceOutcomes
    true: "pd.Series[float]"

    @cached_property
    def watched(self) -> Applications:
        """Those who asked from a year before the change on."""
        assert self.asked.times is not None
        return self.asked.take(np.flatnonzero(self.asked.times >= np.datetime64("2025-01-01")))

    def decisions(self, model: Model) -> pd.DataFrame:
        """Return what the score log would hold of those who are watched."""
        asked = self.watched
        return pd.DataFrame(
            {
                "application_id": asked.ids,
                "pd": model(asked),
                "band": "all",
                "decision": np.where(asked.approved, "approved", "declined"),  # type: ignore[arg-type]
                "period": np.datetime_as_string(asked.times, unit="M"),  # type: ignore[arg-type]
            }
        )


def test_a_shift_of_mix_leaves_the_estimate_right(evidence: Evidence, tmp_path: Path) -> None:
    market = _market(tmp_path, evidence.size(full=300_000, reduced=9_000), "mix_shift", EARLY)
    model, earlier = _learnt(tmp_path)
    decisions = market.decisions(model)
    later = ((decisions["period"] >= CHANGED) & (decisions["decision"] == "approved")).to_numpy()
    pd_, true = decisions["pd"].to_numpy()[later], market.true.loc[decisions["application_id"][later]].to_numpy()
    ways = {
        "PDs as they are": None,
        "recalibrated": earlier.recalibration(),
        "reweighted": earlier.recalibration_for(market.watched.features[later]),
    }
    found = {
        name: label_free_performance(pd_, confidence=0.95, recalibration=way, draws=2).auc for name, way in ways.items()
    }
    truth = _expected_auc(pd_, true)
    told = ", ".join(f"{name} {one.value:.4f} ({one.low:.3f} to {one.high:.3f})" for name, one in found.items())
    error = found["recalibrated"].value - truth
    enough = len(pd_) >= evidence.size(full=50_000, reduced=1_000)
    holds = abs(error) <= LARGEST_ERROR and enough
    evidence.record(
        "53-label-free-mix-shift",
        claim="simulated: under a shift of mix the AUC estimated without labels is the one expected under the true PDs",
        value=f"expected under the true PDs {truth:.4f} on {len(pd_):,} approved; estimated with {told}; "
        f"{len(earlier.bad):,} earlier loans that the model was not fitted on",
        bound=f"recalibrated on earlier loans within {LARGEST_ERROR}, on at least 50,000",
        holds=holds,
    )
    assert enough
    assert found["recalibrated"].holds(truth)
    assert holds or not evidence.full


def test_a_change_of_concept_is_said_to_be_unknown_and_caught_by_the_early_read(
    evidence: Evidence, tmp_path: Path
) -> None:
    market = _market(tmp_path, evidence.size(full=120_000, reduced=9_000), "concept_change", FULL)
    decisions = market.decisions(_learnt(tmp_path)[0])
    # when nothing is known yet, and when early outcomes are
    blind = _report(tmp_path / "estimates", decisions, None)
    seeing = _report(tmp_path / "estimates", decisions, market.known)
    vintages = [one for one in seeing.vintages if one.period >= CHANGED and one.early_contradiction is not None]
    before = [one for one in seeing.vintages if one.period < UNTOUCHED and one.early_contradiction is not None]
    caught = [one.period for one in vintages if one.early_contradiction and one.early_contradiction.ranks_worse]
    false = [one.period for one in before if one.early_contradiction and one.early_contradiction.ranks_worse]
    says = all(
        one.estimate is not None and "P(bad | features)" in one.estimate.estimate.cannot_see[0]
        for one in seeing.vintages
    ) and all("cannot be detected" in one.statement for one in blind.vintages)
    errors = [one for one in seeing.past_errors if one.measure == "auc"]
    past = f"{errors[0].mean_error:+.3f} over {errors[0].vintages} matured vintages" if errors else "none"
    within = [one.period for one in vintages[:5]]
    holds = says and bool(set(caught) & set(within)) and not false
    evidence.record(
        "53-label-free-concept-change",
        claim="simulated: under a change of concept every estimate without labels says that it cannot know, and the "
        "early read (30+ at 3 MOB) of the first vintages after it says that the score ranks worse",
        value=f"caught in {len(caught)} of {len(vintages)} vintages, first in {caught[0] if caught else 'none'} "
        f"(change from {CHANGED}); {len(false)} of {len(before)} vintages whose early read ended before it called "
        f"worse; past error of the estimated AUC {past}",
        bound="a vintage among the first 5 caught, none that ended before it called worse, every estimate with what it "
        "cannot see",
        holds=holds,
    )
    assert says
    assert not false
    if evidence.full:
        assert holds


def _market(folder: Path, customers: int, scenario: str, loan: str) -> Market:
    """Simulate a marketplace and prepare it as of its end."""
    where = f"workspace={folder}"
    answer("simulate", f"customers={customers}", "seed=3", "months=66", f"scenarios=[{scenario}]",
           f"from_month={CHANGED}", where)  # fmt: skip
    answer("prepare", f"loan={loan}", f"loan.as_of={AS_OF}", "features=short", where)
    known = load_applications(data_of(folder), Workspace.at(str(folder)))
    asked = decided_ttd_population(data_of(folder), Workspace.at(str(folder)), known.roles)
    assert asked is not None
    truth = pd.read_parquet(folder / "lake" / "simulated" / "truth").set_index("application_id")
    truth.index = truth.index.astype(str)
    contracts = {name: LoanContract(DEFINITIONS[name], AS_OF) for name in (EARLY, FULL)}
    outcomes = outcomes_of_marketplace(folder / "lake" / "marketplace", contracts)
    return Market(asked, outcomes, truth[f"true_pd_{loan}"])


def _learnt(folder: Path) -> tuple[Model, EarlierLoans]:
    """Return a model that learnt from outcomes known before the change, and the later loans that it was tested on."""

    def known_then(table: pd.DataFrame) -> pd.DataFrame:
        return table[table["outcome_known_at"] < pd.Timestamp(f"{CHANGED}-01")]

    data = data_of(folder, leaking(folder, "known_then", known_then))
    settings = TuneSettings(
        workspace=str(folder), data=data, candidate=family_named(FAMILY).settings(), split=SPLIT, trials=1
    )
    experiment = resolve(settings)
    trained = train(
        experiment.candidate_with({}), experiment.development, experiment.split.folds, CalibrationMethod.logistic,
        seed=0, threads=2,
    )  # fmt: skip
    roles = experiment.applications.roles

    def model(asked: Applications) -> Floats:
        columns = columns_of(asked.features, roles.numeric, roles.categorical)
        return trained.model.probability_of_bad(columns)

    unseen = experiment.applications.take(experiment.split.test)
    return model, EarlierLoans(unseen.outcomes, model(unseen), unseen.features)


def _report(folder: Path, decisions: pd.DataFrame, known: MarketplaceOutcomes | None) -> PerformanceReport:
    early, full = (None if known is None else known.outcomes[name] for name in (EARLY, FULL))
    return measure_performance(decisions, early=early, full=full, stored=StoredEstimates(folder), bands=["all"])


def _expected_auc(score: Floats, true: Floats) -> float:
    """Return the AUC that a score has on average over outcomes drawn from the true PDs: pairs in the right order."""
    order = np.argsort(score, kind="stable")
    bad, good = true[order], 1 - true[order]
    _, start, count = np.unique(score[order], return_index=True, return_counts=True)
    below = np.concatenate([[0.0], np.cumsum(good)])
    ties = np.repeat((below[start] + below[start + count]) / 2, count)
    return float((bad * ties).sum() / (bad.sum() * good.sum()))
