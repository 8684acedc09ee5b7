"""Tests the reasons of declined applications: they move the score as claimed and survive small changes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from experiments.evidence.refits import rank_correlation
from pipelines.credit.points import points
from pipelines.model_store.predictor import Predictor
from pipelines.policy.pack import PolicySettings, ReasonSettings
from pipelines.scoring.reasons import Reasons, reason_groups, reasons_of

MOST_SAMPLED = 500
"""Most declined applications that are tested."""

REFERENCE_ROWS = 50
"""Applicants that represent the average one."""

PERTURBATIONS = 5
JITTER = 0.01
"""Numbers are moved by up to this share of their interquartile range."""


def reason_quality(
    predictor: Predictor, features: pd.DataFrame, policy: PolicySettings, *, seed: int
) -> dict[str, Any]:
    """Return the quality of the reasons over a sample of the declined applications.

    `fidelity` is the share of applications whose risk falls when the features of the first reason become those of other
    applicants; `rank_agreement` is Spearman's correlation of what the reasons claim, in log-odds, with what such a
    change does; `stability` is the mean Jaccard index of the stated groups before and after a change of all numbers by
    up to 1% of their interquartile range. `groups` has for each group the `share` of the declined with it among their
    reasons, the share with it as their `first` reason, and its share `of_reasons`, of all reasons given; each of the
    latter two adds up to 1.
    Without declined applications, or from a model without reasons, all is None. The only reason of an application that
    nothing makes riskier claims no fall of the risk and does not count in `fidelity`.
    """
    is_approved = points(predictor.probability_of_bad(features), policy.scale) >= policy.approve_from
    declined = _sampled(features[~is_approved], MOST_SAMPLED, seed)
    stated = reasons_of(predictor, declined, policy.reasons)
    if not any(stated.groups):
        return {"sampled": 0, "fidelity": None, "rank_agreement": None, "stability": None, "groups": []}
    fell, agreement = fidelity(predictor, declined, stated, _sampled(features, REFERENCE_ROWS, seed))
    return {
        "sampled": len(declined),
        "fidelity": fell,
        "rank_agreement": agreement,
        "stability": stability(predictor, declined, stated, policy.reasons, spread_of(features), seed=seed),
        "groups": _groups(stated, len(declined)),
    }


def _groups(stated: Reasons, declined: int) -> list[dict[str, Any]]:
    times = Counter(group for row in stated.groups for group in row)
    first = Counter(row[0] for row in stated.groups if row)
    return [
        {
            "group": group,
            "share": count / declined,
            "first": first[group] / first.total(),
            "of_reasons": count / times.total(),
        }
        for group, count in times.most_common()
    ]


def fidelity(
    predictor: Predictor, declined: pd.DataFrame, stated: Reasons, reference: pd.DataFrame
) -> tuple[float | None, float | None]:
    """Return the share whose risk falls without their first reason, and the rank agreement over all stated reasons.

    Without a reason means: the features of its group are those of each reference applicant in turn, and the mean over
    them counts; a reason claims to raise the risk above the average applicant's. The risk is the raw log-odds, which
    the reasons are about; a calibration map may be flat where they move. The share is None where no reason claims to
    raise the risk, the agreement where all claims or all changes are equal.
    """
    claimed, changed, first = [], [], []
    for group, names in reason_groups(predictor).items():
        at = [(row, groups.index(group)) for row, groups in enumerate(stated.groups) if group in groups]
        falls = _falls(predictor, declined.iloc[[row for row, _ in at]], reference[names])
        claimed += [stated.sizes[row][rank] for row, rank in at]
        changed += falls
        first += [
            fall > 0 for fall, (row, rank) in zip(falls, at, strict=True) if rank == 0 and stated.sizes[row][0] > 0
        ]
    return float(np.mean(first)) if first else None, _rank_agreement(claimed, changed)


def _falls(predictor: Predictor, rows: pd.DataFrame, reference: pd.DataFrame) -> list[float]:
    """Return by how much the log-odds of each row fall on average when some features are those of reference rows."""
    if rows.empty:
        return []
    each = rows.iloc[np.repeat(np.arange(len(rows)), len(reference))]
    others = reference.iloc[np.tile(np.arange(len(reference)), len(rows))]
    changed = each.assign(**{str(name): others[name].to_numpy() for name in reference})
    after = predictor.log_odds(changed).reshape(len(rows), len(reference)).mean(axis=1)
    return [float(fall) for fall in predictor.log_odds(rows) - after]


def stability(
    predictor: Predictor,
    declined: pd.DataFrame,
    stated: Reasons,
    settings: ReasonSettings,
    spread: Mapping[str, float],
    *,
    seed: int,
) -> float:
    """Return the mean Jaccard index of the stated groups before and after numbers moved by up to 1% of their spread."""
    generator, agreed = np.random.default_rng(seed), []
    for _ in range(PERTURBATIONS):
        moved = {
            name: declined[name] + JITTER * spread[name] * generator.uniform(-1, 1, len(declined))
            for name in predictor.numeric
        }
        again = reasons_of(predictor, declined.assign(**moved), settings)
        agreed += [_jaccard(*pair) for pair in zip(stated.groups, again.groups, strict=True)]
    return float(np.mean(agreed))


def spread_of(features: pd.DataFrame) -> dict[str, float]:
    """Return the interquartile range of each numeric feature; 0 without values."""
    quartiles = features.select_dtypes("number").quantile([0.25, 0.75])
    return {str(name): float(np.nan_to_num(ends.iloc[1] - ends.iloc[0])) for name, ends in quartiles.items()}


def _sampled(rows: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    if len(rows) <= most:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), most, replace=False)
    return rows.iloc[np.sort(chosen)]


def _jaccard(before: Sequence[str], after: Sequence[str]) -> float:
    together = set(before) | set(after)
    return len(set(before) & set(after)) / len(together) if together else 1.0


def _rank_agreement(claimed: Sequence[float], changed: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation; None where one side is constant."""
    if not claimed or np.ptp(claimed) == 0 or np.ptp(changed) == 0:
        return None
    return rank_correlation(np.asarray(claimed), np.asarray(changed))
