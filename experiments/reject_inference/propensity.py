"""How likely an earlier policy was to approve an application, judged by its features alone."""

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


def propensity(asked: Applications, *, seed: int, threads: int) -> Floats:
    """Return, out of fold, the probability that the policy itself approved each who asked, shape (n,).

    One approved by lot counts as declined: the policy would have declined it (see `lot_share`).

    Raises:
        DataError: there are fewer than FOLDS applications of either kind: the policy cannot be told from chance.
    """
    from sklearn.model_selection import StratifiedKFold

    is_chosen = chosen(asked).astype(np.int8)
    fewest = int(min(is_chosen.sum(), len(is_chosen) - is_chosen.sum()))
    if fewest < FOLDS:
        raise DataError(
            f"what an earlier policy did is learnt from at least {FOLDS} approved and {FOLDS} declined applications, "
            f"received {fewest} of the rarer kind; use reject_inference=none or name another data.ttd_population"
        )
    sample = Sample.of(asked.features, is_chosen, asked.roles.numeric, asked.roles.categorical)
    candidate = HistGradientBoostingCandidate(HistGradientBoostingParameters())
    answer = np.empty(len(asked))
    for fit, held_out in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(is_chosen, is_chosen):
        scorer = candidate.fit(sample.take(fit), seed=seed, threads=threads)
        answer[held_out] = scorer.log_odds(sample.take(held_out).columns)
    return np.asarray(1 / (1 + np.exp(-answer)))


def chosen(asked: Applications) -> NDArray[np.bool_]:
    """Return whom the policy itself approved, those by lot left out, shape (n,)."""
    approved, by_lot = decisions(asked)
    return approved & ~by_lot


def lot_share(asked: Applications) -> float:
    """Return the share of those whom the policy would have declined that it approved by lot."""
    approved, by_lot = decisions(asked)
    return float(by_lot.sum() / max((~approved | by_lot).sum(), 1))


def decisions(asked: Applications) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whom an earlier policy approved, and whom of them by lot; raises DataError where nobody tells."""
    if asked.approved is None or asked.by_lot is None:
        raise DataError("this step needs earlier decisions, the table has none; add data.decision=COLUMN")
    return asked.approved, asked.by_lot
