"""Estimates the probability that an earlier policy approved an application, from its features."""

import numpy as np
from numpy.typing import NDArray

from pipelines.applications.applications import Applications
from pipelines.candidates.families.hist_gradient_boosting import (
    HistGradientBoostingCandidate,
    HistGradientBoostingParameters,
)
from pipelines.candidates.sample import Sample
from pipelines.errors import DataError

FOLDS = 5

Floats = NDArray[np.float64]


def propensity(applicants: Applications, *, seed: int, threads: int) -> Floats:
    """Return the out-of-fold probability that the policy itself approved each applicant, shape (n,).

    A random approval counts as declined: the policy would have declined it (see `random_approval_share`).

    Raises:
        DataError: there are fewer than FOLDS approved or declined applications.
    """
    from sklearn.model_selection import StratifiedKFold

    is_chosen = chosen(applicants).astype(np.int8)
    fewest = int(min(is_chosen.sum(), len(is_chosen) - is_chosen.sum()))
    if fewest < FOLDS:
        raise DataError(
            f"data.ttd_population has {fewest} approved or declined applications and needs at least {FOLDS} of each; "
            "use reject_inference=none or another data.ttd_population"
        )
    sample = Sample.of(applicants.features, is_chosen, applicants.roles.numeric, applicants.roles.categorical)
    candidate = HistGradientBoostingCandidate(HistGradientBoostingParameters())
    log_odds = np.empty(len(applicants))
    for fit, held_out in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(is_chosen, is_chosen):
        scorer = candidate.fit(sample.take(fit), seed=seed, threads=threads)
        log_odds[held_out] = scorer.log_odds(sample.take(held_out).columns)
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def chosen(applicants: Applications) -> NDArray[np.bool_]:
    """Return which applications the policy itself approved, without random approvals, shape (n,)."""
    approved, by_lot = decisions(applicants)
    return approved & ~by_lot


def random_approval_share(applicants: Applications) -> float:
    """Return the share of random approvals among the applications that the policy would have declined."""
    approved, by_lot = decisions(applicants)
    return float(by_lot.sum() / max((~approved | by_lot).sum(), 1))


def decisions(applicants: Applications) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which applications were approved, and which at random. Raises DataError without earlier decisions."""
    if applicants.approved is None or applicants.by_lot is None:
        raise DataError("the table has no earlier decisions; add data.decision=COLUMN")
    return applicants.approved, applicants.by_lot
