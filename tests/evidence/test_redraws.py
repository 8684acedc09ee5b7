"""The demo's alarm is not a lucky seed: over many redraws the random month stays quiet and the selected one rings."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.experiment.experiment import sample_of
from monitoring.thresholds.thresholds import Level
from pipelines.applications.applications import load_applications
from pipelines.applications.settings import DataSettings, SplitSettings
from pipelines.applications.splits import split_applications
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.portable_model import Model, columns_of
from pipelines.candidates.registry import candidate_of
from pipelines.candidates.settings import CalibrationMethod
from pipelines.candidates.training import train
from pipelines.credit.points import PointsScale, points
from pipelines.credit.population import Population
from pipelines.demo.german_credit import RANDOM, SELECTED, draw_periods
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.reference_profile import SCORE
from pipelines.storage.workspace import Workspace
from tests.evidence.conftest import Evidence
from tests.monitoring.measures.comparing import moves_of


def test_the_first_period_is_quiet_and_the_second_rings(
    evidence: Evidence,
    german_settings: DataSettings,
    workspace: Workspace,
    not_significantly_above: Callable[[int, int, float], bool],
) -> None:
    rounds = evidence.size(full=200, reduced=10)
    rang = np.array([_rings(seed, german_settings, workspace) for seed in range(rounds)])
    false_alarms, missed = int(rang[:, 0].sum()), int((~rang[:, 1]).sum())
    holds = not_significantly_above(false_alarms, rounds, 0.05) and not_significantly_above(missed, rounds, 0.05)
    evidence.record(
        "09-demo-redraws",
        claim="over 200 redraws of the demo's months the random one alarms rarely, the selected one nearly always",
        value=f"random month {false_alarms / rounds:.1%}, selected month {1 - missed / rounds:.1%}",
        bound="at most 5%, at least 95%",
        holds=holds,
    )
    assert holds


def _rings(seed: int, settings: DataSettings, workspace: Workspace) -> tuple[bool, bool]:
    draw = draw_periods(seed)
    path = workspace.lake / f"{seed}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    draw.development.to_parquet(path)
    settings.path, settings.id = str(path), "application_id"
    applications = load_applications(settings, workspace)
    split = split_applications(applications, SplitSettings())
    development, test = applications.take(split.development), applications.take(split.test)
    candidate = candidate_of(ScorecardSettings())
    model = train(candidate, sample_of(development), split.folds, CalibrationMethod.logistic, seed=0, threads=1).model
    features = test.features
    asked = model.probability_of_bad(columns_of(features, model.numeric, model.categorical))
    profile = profile_of(points(asked, PointsScale()), asked, features, model.numeric, Population.applications)
    acts = {}
    for period, rows in draw.periods.items():
        columns = columns_of(rows, model.numeric, model.categorical)
        window = {SCORE: _points(model, rows).astype(float), **columns}
        acts[period] = any(one.judgement.level is Level.ACT for one in moves_of(profile, window))
    return acts[RANDOM], acts[SELECTED]


def _points(model: Model, rows: pd.DataFrame) -> NDArray[Any]:
    columns = columns_of(rows, model.numeric, model.categorical)
    return points(model.probability_of_bad(columns), PointsScale())
