"""The learning curve: what fewer rows, or a shorter history, cost the configuration of a trial."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.compare.study_page.refits import Refits
from experiments.compare.study_page.search_facts import Record
from experiments.experiment.experiment import Experiment
from pipelines.applications.splits import Fold
from pipelines.credit.paired_folds import paired_difference

SHARES = {"an eighth": 0.125, "a quarter": 0.25, "half": 0.5}
MONTHS = (1, 3, 6, 12, 24, 48)
FEWEST_ROWS = 50
"""Smaller parts of a fold are not fitted on."""

SEED = 0


def steps_of(experiment: Experiment) -> int:
    """Return the most points that a learning curve has, besides that of all rows."""
    return len(SHARES if experiment.applications.times is None else MONTHS)


def learning_curve(refits: Refits, parameters: Mapping[str, Any], full: Sequence[float]) -> Record:
    """Return the AUC against the rows that were fitted on, or against the months of history where there are times.

    `full` has the AUCs of the folds when all rows are fitted on. The interval of a point is that of its paired
    difference to all rows; a point takes the folds that have as long a history and a longer one.
    """
    times = refits.experiment.applications.times
    if times is None:
        steps = [_Step(f"{words} of the rows", None, _shares(refits, share)) for words, share in SHARES.items()]
    else:
        own = times[refits.experiment.split.development]
        steps = [_Step(f"{months} months", months, _recent(refits, own, months)) for months in MONTHS]
    points = [_point(refits, parameters, full, step) for step in steps if _is_fitted(refits, step.folds)]
    if not points:
        return {"missing": f"the folds have too few rows, or too short a history, to fit on less ({FEWEST_ROWS} rows)"}
    rows = [len(fold.fit) for fold in refits.folds]
    everything = {"rows": float(np.mean(rows)), "auc": float(np.mean(full)), "folds": len(full)}
    return {"by": "rows" if times is None else "months", "points": points, "all": everything}


@dataclass(frozen=True)
class _Step:
    """A part of the rows to fit on: its name, its months where it is recent history, and its folds by number."""

    name: str
    months: int | None
    folds: Mapping[int, Fold]


def _point(refits: Refits, parameters: Mapping[str, Any], full: Sequence[float], step: _Step) -> Record:
    """Return one point: how much lower the AUC is on the folds that have it, with the interval of the difference."""
    aucs = refits.aucs(parameters, list(step.folds.values()), step.name)
    differences = [one - full[number] for number, one in zip(step.folds, aucs, strict=True)]
    paired = paired_difference(differences, refits.held_out_to_fit)
    return {
        "step": step.name,
        "months": step.months,
        "rows": float(np.mean([len(fold.fit) for fold in step.folds.values()])),
        "folds": len(differences),
        "auc": float(np.mean(full)) + paired.value,
        "difference": paired.value,
        "low": paired.low,
        "high": paired.high,
    }


def _is_fitted(refits: Refits, folds: Mapping[int, Fold]) -> bool:
    bad = refits.experiment.development.bad
    enough = all(len(fold.fit) >= FEWEST_ROWS and len(np.unique(bad[fold.fit])) == 2 for fold in folds.values())
    return len(folds) >= 2 and enough


def _shares(refits: Refits, share: float) -> dict[int, Fold]:
    """Return the folds with a share of the rows to fit on, the same share of good and of bad ones."""
    bad = refits.experiment.development.bad
    return {
        number: Fold(_drawn(fold.fit, bad[fold.fit], share, SEED + number), fold.held_out)
        for number, fold in enumerate(refits.folds)
    }


def _drawn(rows: NDArray[np.intp], bad: NDArray[np.int8], share: float, seed: int) -> NDArray[np.intp]:
    """Return a share of the rows of each outcome; a smaller share is a part of a larger one."""
    shuffled = np.random.default_rng(seed).permutation(len(rows))
    kept = [shuffled[bad[shuffled] == outcome] for outcome in (0, 1)]
    return np.sort(rows[np.concatenate([one[: max(round(share * len(one)), 1)] for one in kept])])


def _recent(refits: Refits, times: NDArray[Any], months: int) -> dict[int, Fold]:
    """Return the folds that have a longer history, each with its most recent months."""
    moments = np.asarray(times).astype("datetime64[s]")
    length = np.timedelta64(round(months * 365.25 / 12 * 86_400), "s")
    recent = {
        number: Fold(fold.fit[moments[fold.fit] > moments[fold.fit].max() - length], fold.held_out)
        for number, fold in enumerate(refits.folds)
    }
    return {number: fold for number, fold in recent.items() if len(fold.fit) < len(refits.folds[number].fit)}
