"""Gathers all measures of a challenger in one record, which the gates and the document read."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.evidence.decisions import TtdPopulation, by_group, cutoffs, swaps, ttd_population_of
from experiments.evidence.evaluation import evaluate, evaluate_groups, separation
from experiments.evidence.evaluation_set import EvaluationSet, ScoredVersion, is_unseen_by
from experiments.evidence.feature_measures import feature_measures
from experiments.evidence.leak import leak_evidence
from experiments.evidence.left_out import left_out
from experiments.evidence.monotonicity import monotonicity
from experiments.evidence.points_use import use_of_points
from experiments.evidence.reason_quality import reason_quality
from experiments.evidence.refits import Refits, parameters_of, refit
from experiments.evidence.score_bands import score_bands
from experiments.evidence.selection import selection_report
from experiments.experiment.experiment import Experiment, resolve
from pipelines.applications.applications import Applications
from pipelines.applications.protected_groups import protected_groups
from pipelines.applications.twins import find_twins
from pipelines.credit.discrimination import delong_difference
from pipelines.credit.fairness import pooled
from pipelines.credit.points import points
from pipelines.credit.stability import noise_limit, population_stability_index, shares
from pipelines.errors import DataError
from pipelines.model_store.tags import CANDIDATE, OUTCOME
from pipelines.policy.pack import Claim, PolicySettings, as_recorded, policy_hash
from pipelines.profiles.frozen_bins import FrozenBins
from pipelines.storage.workspace import Workspace

SCHEMA = 3
"""The rules by which gates judge the evidence; `promote verify` judges again what was judged by the same rules."""

NOISE_LEVEL = 0.01

Floats = NDArray[np.float64]


def gather(
    evaluation_set: EvaluationSet,
    challenger: ScoredVersion,
    champion: ScoredVersion | None,
    policy: PolicySettings,
    workspace: Workspace,
) -> dict[str, Any]:
    """Return the measures of a challenger on the test part, as JSON values.

    It holds no time of day and no duration: gathered again from the same data, models and policy, it is the same.

    Raises:
        RequestError: a model needs columns that the data lacks, or does not return probabilities.
    """
    test, seed = evaluation_set.test, evaluation_set.seed
    answers = challenger.predict(test)
    refits = _refits(evaluation_set, challenger, workspace, answers)
    ttd = ttd_population_of(evaluation_set, workspace)
    everyone = challenger.predict(ttd.applications)
    groups = protected_groups(ttd.applications.protected, policy.fairness.bands)
    parts = challenger.read(evaluation_set.development), challenger.read(test)
    features = feature_measures(challenger, *parts, policy.scale, seed=seed)
    leak = _leak(evaluation_set, challenger, *parts, policy)
    evidence: dict[str, Any] = {
        "schema": SCHEMA,
        "about": _about(evaluation_set, challenger, champion, policy),
        "measures": evaluate(test.outcomes, answers, seed=seed).record(),
        "separation": separation(test.outcomes, points(answers, policy.scale)),
        "segments": _segments(test, answers, policy, seed),
        "vintages": _vintages(test, answers, policy.fairness.minimum_group, seed),
        "development": _development(evaluation_set, challenger, refits, answers, policy),
        "ranking": refits.record() if refits else None,
        "cutoffs": cutoffs(ttd, everyone, policy),
        "bands": score_bands(test.outcomes, answers, everyone, policy),
        "features": features,
        "left_out": left_out(challenger, evaluation_set, features, leak, policy.gates),
        "points": use_of_points(test.outcomes, answers, everyone, policy.scale),
        "fairness": by_group(groups, ttd, everyone, policy),
        "ungrouped": groups.ungrouped,
        "monotonicity": monotonicity(challenger, evaluation_set),
        "reasons": reason_quality(challenger.predictor, challenger.read(ttd.applications).features, policy, seed=seed),
        "twins": _twins(evaluation_set),
        "leak": leak,
        "selection": _selection(evaluation_set, challenger, ttd),
    }
    return evidence | _against(evaluation_set, ttd, challenger, champion, answers, everyone, policy)


def _refits(
    evaluation_set: EvaluationSet, challenger: ScoredVersion, workspace: Workspace, answers: Floats
) -> Refits | None:
    """Fit the challenger's candidate again; None for a version without a record."""
    parameters = parameters_of(challenger)
    if evaluation_set.study is None or parameters is None:
        return None
    study = replace(evaluation_set.study, workspace=str(workspace.root))
    is_same = evaluation_set.data == study.data
    experiment = Experiment(study, evaluation_set.applications, evaluation_set.split) if is_same else resolve(study)
    return refit(experiment, parameters, answers)


def _about(
    evaluation_set: EvaluationSet, challenger: ScoredVersion, champion: ScoredVersion | None, policy: PolicySettings
) -> dict[str, Any]:
    test, version = evaluation_set.test, challenger.version
    times, known_at = test.times, test.outcome_known_at
    return {
        "model": version.name,
        "version": version.version,
        "model_hash": challenger.predictor.hash,
        "family": version.tags.get(CANDIDATE, "from elsewhere"),
        "isolation": {
            f"version {one.version.version}": one.predictor.isolation
            for one in (challenger, champion)
            if one is not None and one.predictor.isolation is not None
        },
        "champion": None
        if champion is None
        else {"version": champion.version.version, "model_hash": champion.predictor.hash},
        "data": evaluation_set.applications.fingerprint,
        "test_part": evaluation_set.split.test_part,
        "split": evaluation_set.split.description,
        "split_advice": evaluation_set.split.advice,
        "rows": len(test),
        "bad": int(test.outcomes.sum()),
        "development_rows": len(evaluation_set.split.development),
        "first": None if times is None else str(times.min())[:19],
        "last": None if times is None else str(times.max())[:19],
        "possible_immaturity": evaluation_set.applications.possible_immaturity,
        "outcomes_known_by": None if known_at is None else str(known_at.max())[:19],
        "outcomes_are_known": None if known_at is None else bool(known_at.max() <= np.datetime64(_now(), "us")),
        "policy_hash": policy_hash(policy),
        "policy": as_recorded(policy),
        "seed": evaluation_set.seed,
        "training_rows": challenger.training_rows,
        "claim": policy.gates.claim.value,
    }


def _against(
    evaluation_set: EvaluationSet,
    ttd: TtdPopulation,
    challenger: ScoredVersion,
    champion: ScoredVersion | None,
    answers: Floats,
    everyone: Floats,
    policy: PolicySettings,
) -> dict[str, Any]:
    """Compare with the champion; `everyone` has the challenger's PDs of all applicants."""
    if champion is None:
        return {"comparable": None, "difference": None, "swap_set": None}
    unseen, why = is_unseen_by(champion.version, evaluation_set)
    margin = policy.gates.auc_margin if policy.gates.claim is Claim.not_inferior else 0.0
    difference = delong_difference(
        evaluation_set.test.outcomes, answers, champion.predict(evaluation_set.test), confidence=0.95
    )
    return {
        "comparable": {
            "unseen": unseen,
            "why": why,
            "outcome": {
                "challenger": challenger.version.tags.get(OUTCOME),
                "champion": champion.version.tags.get(OUTCOME),
            },
        },
        "difference": {
            "auc": difference.difference,
            "low": difference.low,
            "high": difference.high,
            "p": difference.p_better(margin),
            "margin": margin,
        },
        "swap_set": swaps(ttd, everyone, champion, policy),
    }


def _segments(test: Applications, answers: Floats, policy: PolicySettings, seed: int) -> list[dict[str, Any]]:
    minimum = policy.fairness.minimum_group
    groups = protected_groups(test.protected, policy.fairness.bands).labels
    return [
        {"attribute": name, "level": level} | asdict(group)
        for name, labels in groups.items()
        for level, group in evaluate_groups(
            test.outcomes, answers, pooled(labels, minimum), minimum=minimum, seed=seed
        ).items()
    ]


def _vintages(test: Applications, answers: Floats, minimum: int, seed: int) -> list[dict[str, Any]]:
    if test.times is None:
        return []
    months = test.times.astype("datetime64[M]").astype(str)
    groups = evaluate_groups(test.outcomes, answers, months, minimum=minimum, seed=seed)
    return [{"vintage": month} | asdict(group) for month, group in groups.items()]


def _development(
    evaluation_set: EvaluationSet,
    challenger: ScoredVersion,
    refits: Refits | None,
    answers: Floats,
    policy: PolicySettings,
) -> dict[str, Any]:
    """Return how the score's distribution moved from development to the test, and its bins in points.

    PSI is the median over refits, which were fitted on neither side: a model's scores of its own training rows are more
    extreme than later ones, which is not drift. The bins, and the PSI of a version that cannot be refitted, use the
    version's own scores.
    """
    learnt = challenger.predict(evaluation_set.development)
    before, now = (points(one, policy.scale).astype(np.float64) for one in (learnt, answers))
    labels, expected, observed = _counted(before, now)
    sides = list(zip(refits.held_out, refits.test, strict=True)) if refits else [(before, now)]
    psi = [population_stability_index(*_counted(*side)[1:]) for side in sides]
    rows = zip(labels, shares(expected).tolist(), shares(observed).tolist(), strict=True)
    times = evaluation_set.development.times
    return {
        "first": None if times is None else str(times.min())[:19],
        "last": None if times is None else str(times.max())[:19],
        "held_out": refits is not None,
        "psi": float(np.median(psi)),
        "noise": noise_limit(len(sides[0][0]), len(now), len(labels), level=NOISE_LEVEL),
        "bins": [{"label": label, "development": p, "test": q} for label, p, q in rows],
    }


def _counted(before: Floats, now: Floats) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int64]]:
    """Return the names of bins frozen on the first sample, and the counts of both samples in them."""
    bins = FrozenBins.of_numbers("points", before)
    (labels, expected), (_, observed) = (bins.comparable(bins.count(one)) for one in (before, now))
    return labels, expected, observed


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _selection(evaluation_set: EvaluationSet, challenger: ScoredVersion, ttd: TtdPopulation) -> dict[str, Any] | None:
    if ttd.ever is None:
        return None
    answers = challenger.predict(ttd.ever)
    threads = 1 if evaluation_set.study is None else evaluation_set.study.threads
    try:
        return selection_report(
            ttd.ever,
            answers,
            evaluation_set.applications,
            evaluation_set.split.development,
            seed=evaluation_set.seed,
            threads=threads,
        )
    except DataError as error:
        return {"why": str(error)}


def _twins(evaluation_set: EvaluationSet) -> dict[str, Any]:
    split, twins = evaluation_set.split, find_twins(evaluation_set.applications)
    across = twins.across(split.test, split.development)
    return {"rows": twins.rows, "kinds": str(twins), "across": int(across.sum()), "test_rows": len(split.test)}


def _leak(
    evaluation_set: EvaluationSet,
    challenger: ScoredVersion,
    development: Applications,
    test: Applications,
    policy: PolicySettings,
) -> dict[str, Any]:
    return leak_evidence(
        evaluation_set.data,
        development=development,
        test=test,
        used=challenger.features,
        gates=policy.gates,
        seed=evaluation_set.seed,
    )
