"""Simulated: what reject inference does to models of the approved, graded by the true PDs of all who asked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
import pyarrow.dataset as pds
import pytest
from numpy.typing import NDArray

from experiments.evidence.selection import selection_report
from experiments.experiment.experiment import Experiment, resolve
from experiments.experiment.settings import TuneSettings
from experiments.reject_inference.settings import RejectInference
from pipelines.applications.applications import Applications, load_applications
from pipelines.applications.settings import DataSettings, Source, SplitSettings
from pipelines.applications.splits import split_applications
from pipelines.applications.ttd_population import decided_ttd_population
from pipelines.candidates.portable_model import columns_of
from pipelines.candidates.registry import family_named
from pipelines.candidates.settings import CalibrationMethod
from pipelines.candidates.training import train
from pipelines.storage.workspace import Workspace
from tests.evidence.commands import answer
from tests.evidence.conftest import Evidence

LOAN = "dpd30_at_3_mob"
LARGEST_LOSS = 0.02
"""Of Gini over all who asked, that an option may cost."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Grade:
    """A model on those who asked after it was made: expected Gini of all, and expected over true PD of groups."""

    gini: float
    all: float
    approved: float
    declined: float


@pytest.mark.integration
def test_reject_inference_is_graded_against_the_truth(evidence: Evidence, tmp_path: Path) -> None:
    customers = evidence.size(full=40_000, reduced=6_000)
    families = ("scorecard", "hist_gradient_boosting", "catboost")[: evidence.size(full=3, reduced=1)]
    data = _prepared(tmp_path, customers, seed=1)
    grades = {(family, one): _grade(tmp_path, data, family, one) for family in families for one in RejectInference}
    losses = [
        grades[family, RejectInference.none].gini - grades[family, one].gini
        for family in families
        for one in RejectInference
    ]
    evidence.record(
        "31-reject-inference",
        claim="simulated: reweighting and fuzzy augmentation cost hardly any Gini over all who asked; how far each "
        "mends what the approved alone teach about the declined is told by expected over true PD",
        value="; ".join(_told(one, [grades[family, one] for family in families]) for one in RejectInference),
        bound=f"no option loses more than {LARGEST_LOSS} of Gini in any family",
        holds=max(losses) <= LARGEST_LOSS,
    )
    assert max(losses) <= LARGEST_LOSS


@pytest.mark.integration
def test_outcomes_by_lot_agree_with_the_truth_about_the_declined(
    evidence: Evidence, tmp_path: Path, not_significantly_above: Callable[[int, int, float], bool]
) -> None:
    markets = evidence.size(full=20, reduced=1)
    missed, ratios = 0, []
    for seed in range(markets):
        folder = tmp_path / str(seed)
        for low, high, truth, ratio in _by_lot(folder, _prepared(folder, 8_000, seed)):
            missed += not low <= truth <= high
            ratios.append(ratio)
    holds = not_significantly_above(missed, len(ratios), 0.05)
    evidence.record(
        "31-selection-report",
        claim="simulated: the bad rate of those approved by lot, in the selection report, holds the mean true PD of "
        "those whom the policy declined in its 95% interval",
        value=f"missed in {missed} of {len(ratios)} markets; the declined were {fmean(ratios):.2f} times as bad as the "
        "model of the approved expected",
        bound="missed not significantly more often than 5%",
        holds=holds,
    )
    assert holds


def _prepared(folder: Path, customers: int, seed: int) -> DataSettings:
    """Simulate a marketplace, prepare it and return where its training table lies."""
    where = f"workspace={folder}"
    answer("simulate", f"customers={customers}", f"seed={seed}", "months=30", "random_approval_share=0.05", where)
    answer("prepare", f"loan={LOAN}", "loan.as_of=2024-07-01", "features=short", where)
    return DataSettings(
        source=Source.marketplace,
        path=str(folder / "lake" / "marketplace" / "training"),
        id="application_id",
        time="applied_at",
        label="bad",
        status="status",
        outcome_known_at="outcome_known_at",
        decision="decision",
        random_approval="is_random_approval",
        protected=["sex", "age_band"],
        ignored=["customer_id"],
    )


def _grade(folder: Path, data: DataSettings, family: str, inference: RejectInference) -> Grade:
    """Train on the development part and grade on all who asked from the test's first day on."""
    settings = TuneSettings(
        workspace=str(folder),
        data=data,
        candidate=family_named(family).settings(),
        reject_inference=inference,
        trials=1,
    )
    experiment = resolve(settings)
    model = _trained(experiment)
    later = _asked(folder, data, experiment.applications).during(
        experiment.applications.take(experiment.split.test).times.min(),  # type: ignore[union-attr]
        np.datetime64("2100-01-01"),
    )
    found, true = model(later), _true_pd(folder, later)
    declined = ~later.approved  # type: ignore[operator]
    ratios = (found[rows].mean() / true[rows].mean() for rows in (declined | True, ~declined, declined))
    return Grade(_expected_gini(found, true), *map(float, ratios))


def _trained(experiment: Experiment) -> Callable[[Applications], Floats]:
    trained = train(
        experiment.candidate_with({}),
        experiment.development,
        experiment.split.folds,
        CalibrationMethod.logistic,
        seed=0,
        threads=experiment.settings.threads,
    )
    roles = experiment.applications.roles
    return lambda asked: trained.model.probability_of_bad(columns_of(asked.features, roles.numeric, roles.categorical))


def _by_lot(folder: Path, data: DataSettings) -> Iterator[tuple[float, float, float, float]]:
    """Yield the interval of the bad rate by lot, the mean true PD of the declined, and observed over expected."""
    known = load_applications(data, Workspace.at(str(folder)))
    split = split_applications(known, SplitSettings())
    settings = TuneSettings(workspace=str(folder), data=data, candidate=family_named("scorecard").settings(), trials=1)
    asked = _asked(folder, data, known)
    model = _trained(resolve(settings))
    told = selection_report(asked, model(asked), known, split.development, seed=0, threads=2)["by_lot_outcomes"]
    then = asked.during(known.times.min(), known.times.max())  # type: ignore[union-attr]
    is_unseen = then.times >= known.times[split.test].min()  # type: ignore[index,operator]
    truth = _true_pd(folder, then)[~then.approved & is_unseen].mean()  # type: ignore[operator]
    if told["unseen"] is not None:
        yield told["unseen"]["low"], told["unseen"]["high"], float(truth), told["unseen"]["ratio"]


def _asked(folder: Path, data: DataSettings, known: Applications) -> Applications:
    asked = decided_ttd_population(data, Workspace.at(str(folder)), known.roles)
    assert asked is not None
    return asked


def _true_pd(folder: Path, asked: Applications) -> Floats:
    truth = pds.dataset(folder / "lake" / "simulated" / "truth").to_table().to_pandas()
    by_id = pd.Series(truth[f"true_pd_{LOAN}"].to_numpy(), index=truth["application_id"].astype(str))
    return by_id.loc[asked.ids].to_numpy(np.float64)


def _expected_gini(score: Floats, true: Floats) -> float:
    """Return the Gini that a score has on average over outcomes drawn from the true PDs.

    Among all pairs of a bad and a good application, weighted by how likely the pair is, those in the right order, equal
    scores counting half.
    """
    _, group = np.unique(score, return_inverse=True)
    bad, good = np.bincount(group, weights=true), np.bincount(group, weights=1 - true)
    right = float((bad * (np.cumsum(good) - good / 2)).sum() / (bad.sum() * good.sum()))
    return 2 * right - 1


def _told(inference: RejectInference, grades: list[Grade]) -> str:
    gini, everyone, approved, declined = (
        fmean(getattr(grade, name) for grade in grades) for name in ("gini", "all", "approved", "declined")
    )
    return (
        f"{inference.value}: Gini {gini:.3f}, expected over true PD {everyone:.2f} of all, {approved:.2f} of the "
        f"approved, {declined:.2f} of the declined"
    )
