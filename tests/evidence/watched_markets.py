"""A simulated marketplace that one model scores month by month, and scenarios that begin in one of its months."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from experiments.experiment.experiment import Experiment, reference_applications, resolve
from experiments.experiment.settings import TuneSettings
from monitoring.outcomes.earlier_loans import earlier_loans
from monitoring.outcomes.settings import OutcomeSettings
from monitoring.verdict.period_report import PeriodReport
from monitoring.watch.settings import WatchSettings
from monitoring.watch.watch import report_of
from monitoring.windows.months import end_of
from pipelines.applications.settings import DataSettings, Source, SplitSettings
from pipelines.batch.score import score
from pipelines.batch.settings import ReasonsFor, ScoreSettings
from pipelines.book.prepare import prepare
from pipelines.candidates.portable_model import columns_of
from pipelines.candidates.registry import family_named
from pipelines.candidates.settings import CalibrationMethod
from pipelines.candidates.training import TrainedModel, train
from pipelines.credit.loan import DEFINITIONS, LoanContract
from pipelines.credit.points import points
from pipelines.credit.population import Population
from pipelines.features.settings import FeatureSettings
from pipelines.ledger.champion import proven_champion
from pipelines.marketplace.settings import PrepareSettings, RawSettings
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import TEST_FROM
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import ReferenceProfile
from pipelines.score_log.key import LogKey
from pipelines.simulation.settings import SimulateSettings
from pipelines.simulation.simulate import simulate
from pipelines.storage.workspace import Workspace
from tests.experiments.marketplaces import data_of, leaking
from tests.pipelines.model_store.champions import attach_profile, make_champion

BEGINS, MONTHS, ORDERS = "2021-01", 72, 30.0
"""As many orders per customer and month as by default."""

CHANGED, ENDS = "2026-01", "2027-01-01"
"""A scenario begins, as by default, a year before the end."""

LEARNT, SCORED_BEFORE = "2025-01", 12
"""The model learnt from what was known when it began to score, so many months before the change."""

YEAR_BEFORE = "2025-01..2025-12"
"""What months are compared with; a development of three years before knows another marketplace."""

FAMILY = "hist_gradient_boosting"
SPLIT = SplitSettings(cutoff="2022-11-01")
"""More than a year of the known outcomes are kept from the model: its reference."""

KEY = LogKey("credit_score", 1, Population.applications, CHANGED)


@dataclass(frozen=True)
class Size:
    """How many customers a marketplace has, the features of their history, and the seed of the simulation."""

    customers: int
    features: FeatureSettings
    seed: int = 3


@dataclass(frozen=True)
class Watched:
    """A marketplace whose applications were scored until the change and `after` months from then on."""

    workspace: Workspace
    profile: ReferenceProfile

    def report(self, month: int, *, early: str, reference: str = YEAR_BEFORE) -> PeriodReport:
        """Return the report of a month as it was made when the month was over."""
        period = month_of(month)
        settings = WatchSettings(
            period=period,
            workspace=str(self.workspace.root),
            reference=reference,
            outcomes=OutcomeSettings(marketplace="marketplace", early=early),
            today=ENDS,
        )
        store = ModelStore(self.workspace)
        champion = proven_champion(store, KEY.model)
        earlier = earlier_loans(self.workspace, store, champion, "marketplace", end_of(period))
        return report_of(self.workspace, self.profile, replace(KEY, period=period), settings, earlier)[0]


def month_of(month: int) -> str:
    """Return the calendar month of a number that counts from the change: 1 is its own, 0 the last one before."""
    return str(np.datetime64(CHANGED, "M") + month - 1)


def watched_before(folder: Path, size: Size) -> Watched:
    """Simulate a marketplace in which nothing happens, let a model learn, and score the months before the change."""
    _simulate(folder, size, {})
    profile = _learn(folder)
    _score(folder, range(1 - SCORED_BEFORE, 1))
    return Watched(Workspace.at(str(folder)), profile)


def watched_after(before: Watched, folder: Path, size: Size, after: int, **scenario: Any) -> Watched:
    """Return what became of the marketplace: the same months before, and months scored in a scenario."""
    root = before.workspace.root
    shutil.copytree(root, folder, ignore=shutil.ignore_patterns("lake", "artifacts"))
    if scenario:
        _simulate(folder, size, scenario)
    else:
        (folder / "lake").symlink_to(root / "lake")
    _score(folder, range(1, after + 1))
    return Watched(Workspace.at(str(folder)), before.profile)


def _simulate(folder: Path, size: Size, scenario: dict[str, Any]) -> None:
    """Simulate a marketplace and prepare it as of its end."""
    simulate(
        SimulateSettings(
            workspace=str(folder),
            seed=size.seed,
            customers=size.customers,
            start=BEGINS,
            months=MONTHS,
            orders_per_customer=ORDERS,
            **scenario,
        )
    )
    prepare(
        PrepareSettings(
            workspace=str(folder),
            raw=RawSettings(folder=str(folder / "lake" / "simulated"), time_zone="UTC"),
            loan=LoanContract(DEFINITIONS["dpd90_in_12_months"], ENDS),
            features=size.features,
        )
    )


def _learn(folder: Path) -> ReferenceProfile:
    """Let a model learn from the outcomes that were known when it began, make it champion, return its reference."""

    def known_then(table: pd.DataFrame) -> pd.DataFrame:
        return table[table["outcome_known_at"] < pd.Timestamp(f"{LEARNT}-01")]

    data = data_of(folder, leaking(folder, "known_then", known_then))
    experiment = resolve(
        TuneSettings(workspace=str(folder), data=data, candidate=family_named(FAMILY).settings(), split=SPLIT, trials=1)
    )
    candidate, folds = experiment.candidate_with({}), experiment.split.folds
    trained = train(candidate, experiment.development, folds, CalibrationMethod.logistic, seed=0, threads=2)
    store = ModelStore(Workspace.at(str(folder)))
    began = str(experiment.applications.times[experiment.split.test].min())  # type: ignore[index]
    champion = make_champion(store, trained, folder / "model", **{TEST_FROM: began})
    profile = _reference(experiment, trained)
    attach_profile(store, champion, profile)
    return profile


def _reference(experiment: Experiment, trained: TrainedModel) -> ReferenceProfile:
    """Return the profile of all who asked in the test's time."""
    asked, model = reference_applications(experiment), trained.model
    features = asked.features[[*model.numeric, *model.categorical]]
    probability = model.probability_of_bad(columns_of(features, model.numeric, model.categorical))
    whole = points(probability, experiment.settings.policy.scale)
    return profile_of(whole, probability, features, model.numeric, Population.applications, asked.times)


def _score(folder: Path, months: Iterable[int]) -> None:
    """Score the applications of some months, a file each."""
    asked = folder / "lake" / "marketplace" / "applications"
    data = DataSettings(source=Source.table, id="application_id", time="applied_at", infer=False)
    for month in months:
        period = month_of(month)
        begins, ends = (pd.Timestamp(f"{one}-01") for one in (period, month_of(month + 1)))
        path = folder / "asked" / f"{period}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pq.read_table(asked, filters=[("applied_at", ">=", begins), ("applied_at", "<", ends)]), path)
        score(
            ScoreSettings(
                workspace=str(folder),
                data=data,
                input=str(path),
                period=period,
                reasons_for=ReasonsFor.nobody,
                threads=1,
            )
        )
