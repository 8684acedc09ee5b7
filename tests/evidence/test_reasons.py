"""Reasons add up, are true and steady, and a decision made again is the same decision."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import thinfile
from experiments.evidence.reason_quality import reason_quality
from experiments.experiment.experiment import sample_of
from experiments.replay.replay_decision import replay_decision
from pipelines.applications.applications import load_applications
from pipelines.applications.settings import DataSettings, Source, SplitSettings
from pipelines.applications.splits import split_applications
from pipelines.batch.score import score
from pipelines.batch.settings import ScoreSettings
from pipelines.candidates.families.catboost import CatBoostParameters, CatBoostSettings
from pipelines.candidates.families.hist_gradient_boosting import (
    HistGradientBoostingParameters,
    HistGradientBoostingSettings,
)
from pipelines.candidates.families.scorecard import ScorecardSettings
from pipelines.candidates.registry import candidate_of
from pipelines.candidates.settings import CandidateSettings
from pipelines.candidates.training import train
from pipelines.command.verb import ExitCode
from pipelines.credit.population import Population
from pipelines.model_store.predictor import load_predictor
from pipelines.model_store.store import ModelStore
from pipelines.policy.pack import PolicySettings
from pipelines.score_log.key import LogKey
from pipelines.score_log.score_log import ScoreLog
from pipelines.storage.workspace import Workspace
from tests.evidence.conftest import Evidence
from tests.pipelines.model_store.champions import make_champion

pytestmark = pytest.mark.integration  # simulates markets and fits many models

CONF = Path(__file__).resolve().parents[2] / "conf" / "data"

LARGEST_GAP = {"scorecard": 1e-9, "hist_gradient_boosting": 1e-9, "catboost": 1e-6}
LEAST = {"fidelity": 0.9, "rank_agreement": 0.6, "stability": 0.9}


@dataclass(frozen=True)
class Case:
    """Applications to learn from; those of a period are scored."""

    data: DataSettings
    period: str
    policy: PolicySettings


@dataclass(frozen=True)
class Found:
    """What one family on one table showed."""

    gap: float
    quality: dict[str, Any]
    replayed: int
    identical: int


def test_reasons_add_up_are_true_and_are_replayed(evidence: Evidence, tmp_path: Path) -> None:
    cases = {"german": german(), "simulated": marketplace(evidence, tmp_path)}
    store = ModelStore(Workspace.at(str(tmp_path)))
    found = {
        (name, family): shown(store, case, family, evidence, f"{name}_{family}")
        for name, case in cases.items()
        for family in LARGEST_GAP
    }
    least = {name: min(one.quality[name] for one in found.values()) for name in LEAST}
    gaps = {family: max(found[name, family].gap for name in cases) for family in LARGEST_GAP}
    replayed, identical = (sum(getattr(one, key) for one in found.values()) for key in ("replayed", "identical"))
    holds = (
        all(gaps[family] <= bound for family, bound in LARGEST_GAP.items())
        and all(least[name] >= bound for name, bound in LEAST.items())
        and identical == replayed > 0
    )
    told = ", ".join(f"{family} {gap:.0e}" for family, gap in gaps.items())
    evidence.record(
        "23-reasons",
        claim="every family on German credit and on a simulated marketplace: contributions sum to the log-odds; the "
        "risk of a declined application falls without its first reason; what reasons claim and what they move rank "
        "alike; numbers moved by 1% of their spread leave the reasons be; decisions replayed from the score log are "
        "identical to the last bit, reasons included",
        value=f"largest gap: {told}; risk falls for at least {least['fidelity']:.1%}; rank correlation at least "
        f"{least['rank_agreement']:.2f}; Jaccard index at least {least['stability']:.3f}; "
        f"{identical:,} of {replayed:,} decisions identical",
        bound=f"1e-9 (catboost 1e-6), {', '.join(map(str, LEAST.values()))}, all",
        holds=holds,
    )
    assert holds, (gaps, least, replayed, identical)


def german() -> Case:
    """Return the German credit data, all of which is scored as one month's applications."""
    declared = yaml.safe_load((CONF / "german_credit.yaml").read_text())
    del declared["defaults"]
    data = DataSettings(**declared | {"source": Source.german_credit})
    return Case(data, "2026-01", PolicySettings())


def marketplace(evidence: Evidence, folder: Path) -> Case:
    """Return a simulated marketplace, of which the applications of the last month are scored."""
    customers, features = (20_000, "default") if evidence.full else (3_000, "short")
    words = [f"workspace={folder}", "output=json"]
    assert thinfile.main(["simulate", f"customers={customers}", "months=30", "seed=0", *words]) == 0
    labels = ["loan.as_of=2024-07-01", "loan=dpd30_at_3_mob", f"features={features}"]
    assert thinfile.main(["prepare", *labels, *words]) == 0
    declared = yaml.safe_load((CONF / "marketplace.yaml").read_text())
    del declared["defaults"]
    path = folder / "lake" / "marketplace" / "training"
    data = DataSettings(**declared | {"source": Source.marketplace, "path": str(path)})
    return Case(data, "2024-06", PolicySettings(approve_from=620))


def candidates(full: bool) -> dict[str, CandidateSettings]:
    """Return the families, as they are by default or with a few trees."""
    if full:
        boosted: list[CandidateSettings] = [CatBoostSettings(), HistGradientBoostingSettings()]
    else:
        boosted = [
            CatBoostSettings(parameters=CatBoostParameters(iterations=40, learning_rate=0.2)),
            HistGradientBoostingSettings(parameters=HistGradientBoostingParameters(max_iter=30, learning_rate=0.2)),
        ]
    return dict(zip(("scorecard", "catboost", "hist_gradient_boosting"), [ScorecardSettings(), *boosted], strict=True))


def shown(store: ModelStore, case: Case, family: str, evidence: Evidence, name: str) -> Found:
    """Train a family on the development part, make it champion, score the period and replay decisions."""
    workspace = store.workspace
    applications = load_applications(case.data, workspace)
    split = split_applications(applications, SplitSettings(folds=evidence.size(full=5, reduced=2)))
    settings = candidates(evidence.full)[family]
    learnt = sample_of(applications.take(split.development))
    trained = train(candidate_of(settings), learnt, split.folds, settings.calibration, seed=0, threads=2)
    predictor = load_predictor(store, make_champion(store, trained, workspace.root / name, name))
    score(ScoreSettings(str(workspace.root), data=case.data, period=case.period, model=name, policy=case.policy))
    log, key = ScoreLog(workspace), LogKey(name, 1, Population.applications, case.period)
    features = pd.concat([log.features(key), applications.features], ignore_index=True)
    told = predictor.contributions(features)
    assert told is not None
    gap = float(np.abs(told[0] + told[1].sum(axis=1) - predictor.log_odds(features)).max())
    quality = reason_quality(predictor, applications.take(split.test).features, case.policy, seed=0)
    chosen = list(some_decisions(log.decisions(key), evidence.size(full=200, reduced=6)))
    replays = [replay_decision(workspace, decision_id).exit_code is ExitCode.DONE for decision_id in chosen]
    return Found(gap, quality, len(replays), sum(replays))


def some_decisions(rows: pd.DataFrame, count: int) -> Iterator[str]:
    """Yield so many ids, half of them of declined applications where there are enough."""
    declined = rows["decision"] == "declined"
    for some in (rows[declined], rows[~declined]):
        yield from some["decision_id"].head(count // 2)
