"""Measures the bias of training on approved applications only, where earlier decisions are recorded."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.reject_inference.propensity import chosen, decisions, propensity
from pipelines.applications.applications import Applications
from pipelines.credit.discrimination import auc
from pipelines.credit.rates import wilson_interval
from pipelines.credit.stability import population_stability_index
from pipelines.profiles.frozen_bins import FrozenBins

CONFIDENCE = 0.95

SUPPORT = 0.01
"""Quantile of the propensity of the approved; the model has almost no training rows below it."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class RandomApprovals:
    """Outcomes of random approvals, which the policy would have declined: the only direct view of the bias.

    `bad_rate` has its 95% interval (Wilson). `expected_rate` is the model's mean probability of bad of these rows; the
    ratio is observed over expected: above 1 the model understates the risk of the declined.
    """

    rows: int
    bad: int
    bad_rate: float
    low: float
    high: float
    expected_rate: float
    ratio: float
    ratio_low: float
    ratio_high: float

    @classmethod
    def of(cls, bad: NDArray[np.int8], probability: Floats) -> "RandomApprovals | None":
        """Compare outcomes with probabilities, both of shape (n,); None without rows."""
        if not len(bad):
            return None
        low, high = wilson_interval(int(bad.sum()), len(bad), CONFIDENCE)
        rate, expected = float(bad.mean()), float(probability.mean())
        ratios = (rate / expected, low / expected, high / expected)
        return cls(len(bad), int(bad.sum()), rate, low, high, expected, *ratios)


def selection_report(
    applicants: Applications,
    probability: Floats,
    labelled: Applications,
    development: NDArray[np.intp],
    *,
    seed: int,
    threads: int,
) -> dict[str, Any]:
    """Return how an earlier policy selected the training data, as JSON values.

    `applicants` are all applications, with earlier decisions, and `probability` the model's PDs of them, shape (n,).
    `labelled` are the applications with an outcome; the model was trained on the rows `development` of them. All
    figures are about the development period, except the outcomes of random approvals: `unseen` are those that the
    model was not trained on.

    Raises:
        DataError: no earlier decisions, or too few of either kind.
    """
    rows = _in_time_of(applicants, labelled.take(development))
    then, answers = applicants.take(rows), probability[rows]
    is_chosen, (approved, by_lot) = chosen(then), decisions(then)
    chance = propensity(then, seed=seed, threads=threads)
    lowest = float(np.quantile(chance[is_chosen], SUPPORT))
    outside = ~approved & (chance < lowest)
    return {
        **_time(then),
        "asked": len(then),
        "approved": int(is_chosen.sum()),
        "by_lot": int(by_lot.sum()),
        "declined": int((~approved).sum()),
        "declined_share": float((~approved).mean()),
        "propensity_auc": auc(is_chosen.astype(np.int8), chance),
        "psi": _psi(then, answers, is_chosen),
        "outside_support": {
            "lowest_propensity": lowest,
            "rows": int(outside.sum()),
            "share_of_declined": float(outside.sum() / (~approved).sum()),
        },
        "mean_pd": {
            "approved": float(answers[is_chosen].mean()),
            "declined": float(answers[~approved].mean()),
            "outside_support": float(answers[outside].mean()) if outside.any() else None,
        },
        "by_lot_outcomes": _outcomes_by_lot(applicants, probability, labelled, development),
    }


def _in_time_of(applicants: Applications, trained_on: Applications) -> NDArray[np.intp]:
    """Return the applicants of the period of the training rows; all of them without times."""
    if applicants.times is None or trained_on.times is None:
        return np.arange(len(applicants))
    first, last = trained_on.times.min(), trained_on.times.max()
    return np.flatnonzero((applicants.times >= first) & (applicants.times <= last))


def _time(then: Applications) -> dict[str, str | None]:
    if then.times is None:
        return {"first": None, "last": None}
    return {"first": str(then.times.min()), "last": str(then.times.max())}


def _psi(then: Applications, answers: Floats, is_chosen: Flags) -> dict[str, Any]:
    """Return the PSI of the score and of each feature between approved and other applicants, largest first."""
    columns = {str(name): then.features[name].to_numpy() for name in then.features}
    psi = {name: _distance(name, values, is_chosen, name in then.roles.numeric) for name, values in columns.items()}
    ranked = sorted(psi.items(), key=lambda one: (-one[1], one[0]))
    return {
        "score": _distance("score", np.log(answers / (1 - answers)), is_chosen, True),
        "features": [{"feature": name, "psi": value} for name, value in ranked],
    }


def _distance(name: str, values: NDArray[Any], is_chosen: Flags, is_number: bool) -> float:
    freeze = FrozenBins.of_numbers if is_number else FrozenBins.of_levels
    bins = freeze(name, values[is_chosen])
    ours, theirs = (bins.comparable(bins.count(values[rows]))[1] for rows in (is_chosen, ~is_chosen))
    return population_stability_index(ours, theirs)


def _outcomes_by_lot(
    applicants: Applications, probability: Floats, labelled: Applications, development: NDArray[np.intp]
) -> dict[str, Any]:
    by_lot = {str(applicants.ids[row]): int(row) for row in np.flatnonzero(decisions(applicants)[1])}
    rows = np.array([row for row, name in enumerate(labelled.ids.tolist()) if name in by_lot], np.intp)
    answers = probability[[by_lot[name] for name in labelled.ids[rows].tolist()]]
    learnt_from = np.isin(rows, development)
    parts = {"unseen": ~learnt_from, "learnt_from": learnt_from}
    outcomes = {name: RandomApprovals.of(labelled.outcomes[rows[part]], answers[part]) for name, part in parts.items()}
    return {name: None if one is None else asdict(one) for name, one in outcomes.items()}
