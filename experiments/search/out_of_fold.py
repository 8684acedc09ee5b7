"""Out-of-fold scores: each held-out row of the development part, scored by a model that was fitted without it."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from experiments.experiment.experiment import Experiment
from experiments.reject_inference.settings import RejectInference
from experiments.search.trial_result import Parameters, Pruned, TrialResult
from pipelines.applications.repeated_folds import repeated_folds
from pipelines.applications.splits import Fold
from pipelines.candidates.averaged_scores import of_single_models
from pipelines.candidates.candidate import Candidate
from pipelines.candidates.early_stopping import StoppableCandidate, watched_rows
from pipelines.candidates.monotonicity import check_directions
from pipelines.candidates.portable_model import Scorer
from pipelines.candidates.registry import family_named
from pipelines.candidates.sample import Sample
from pipelines.credit.discrimination import auc
from pipelines.storage.side_by_side import side_by_side, threads_of_each

FEWEST_STOPPED = 4000
"""With fewer rows to fit on, the watched ones would be too few to choose a number of trees, and it is searched."""

MOST_KEPT = 16
"""The scores of so many of the best candidates are kept."""

MOST_VALUES = 400_000_000
"""So many values of the folds' rows are kept for all trials; folds of larger data are cut anew for each trial."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OutOfFold:
    """Scores of a candidate by fold.

    Attributes:
        log_odds: Per fold, the log-odds of its held-out rows.
        aucs: Their AUC, per fold.
        trees: The number of trees that early stopping chose (the median over the folds), None without it.
        cost: Microseconds per row on one core of one fitted model (the mean over the folds).
        seconds: What fitting and scoring took.
        wrong_way: The largest share of held-out rows whose score moves against the declared direction of a feature,
            over the features and the folds; None where that is not checked.
    """

    log_odds: Sequence[Floats]
    aucs: Sequence[float]
    trees: int | None
    cost: float
    seconds: float
    wrong_way: float | None = None

    @property
    def value(self) -> float:
        """The mean AUC over the folds."""
        return fmean(self.aucs)


@dataclass(frozen=True)
class FoldFit:
    """What a fit on one fold gave: see `OutOfFold`."""

    log_odds: Floats
    auc: float
    trees: int | None
    cost: float
    wrong_way: float | None


@dataclass(frozen=True)
class FoldRows:
    """The rows of a fold: those to fit on, in learnt and watched ones for early stopping, and the held-out ones."""

    fit: Sample
    divided: tuple[Sample, Sample] | None
    held_out: Sample


class CrossValidation:
    """Fits candidates on the folds of an experiment; what a library makes of a fold's rows is made once."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self._kept: dict[int, FoldRows] = {}
        sample, settings = experiment.development, experiment.settings
        self.folds = _folds_of(experiment)
        """The folds of the split; of few rows, those of its repeats follow."""
        rows = min(len(fold.fit) for fold in self.folds)
        can_stop = settings.reject_inference is not RejectInference.fuzzy_augmentation  # its candidate fits as a whole
        self.stops = experiment.searches_families and rows >= FEWEST_STOPPED and can_stop
        """Whether the number of trees is chosen by early stopping."""
        self._scores: dict[str, OutOfFold] = {}
        self._keeps = len(sample.bad) * len(sample.columns) * len(self.folds) <= MOST_VALUES

    def evaluate(
        self, parameters: Parameters, give_up: Callable[[Sequence[float]], bool] = lambda _: False
    ) -> OutOfFold:
        """Return the out-of-fold scores of a trial's parameters.

        Raises:
            Pruned: `give_up` answers so for the AUCs of the folds so far.
        """
        start = time.perf_counter()
        candidate, sample = self.experiment.candidate_with(parameters), self.experiment.sample_with(parameters)
        fits = list[FoldFit]()
        tasks = [partial(self._fold, number, candidate, sample) for number in range(len(self.folds))]
        with closing(side_by_side(tasks, self.experiment.settings.threads)) as fitted:
            for fit in fitted:
                fits.append(fit)
                aucs = [one.auc for one in fits]
                if len(aucs) < len(self.folds) and give_up(aucs):
                    raise Pruned(aucs)
        scores = _joined(fits, time.perf_counter() - start)
        self._keep(parameters, scores)
        return scores

    def _fold(self, number: int, candidate: Candidate, sample: Sample) -> FoldFit:
        rows = self._rows(number, sample)
        scorer, trees = self._fit(candidate, rows)
        log_odds = scorer.log_odds(rows.held_out.columns)
        is_checked = self.experiment.settings.constraints.monotone
        wrong_way = _share_wrong_way(scorer, rows.held_out) if is_checked else None
        cost = family_named(candidate.family).cost(scorer)
        return FoldFit(log_odds, auc(rows.held_out.bad, log_odds), trees, cost, wrong_way)

    def scores_of(self, trial: TrialResult) -> OutOfFold:
        """Return the scores of a finished trial; they are computed again where they were not kept."""
        return self._scores.get(_name(trial.parameters)) or self.evaluate(trial.parameters)

    def _keep(self, parameters: Parameters, scores: OutOfFold) -> None:
        self._scores[_name(parameters)] = scores
        if len(self._scores) > MOST_KEPT:
            del self._scores[min(self._scores, key=lambda name: self._scores[name].value)]

    def _fit(self, candidate: Candidate, rows: FoldRows) -> tuple[Scorer, int | None]:
        settings = self.experiment.settings
        how = {"seed": settings.seed, "threads": threads_of_each(len(self.folds), settings.threads)}
        if rows.divided and isinstance(candidate, StoppableCandidate):
            learnt, watched = rows.divided
            return candidate.fit_stopped(learnt, watched, **how)
        return candidate.fit(rows.fit, **how), None

    def _rows(self, number: int, sample: Sample) -> FoldRows:
        keeps = self._keeps and sample is self.experiment.development
        if not keeps:
            return self._cut(sample, number)
        if number not in self._kept:
            self._kept[number] = self._cut(sample, number)
        return self._kept[number]

    def _cut(self, sample: Sample, number: int) -> FoldRows:
        sample, fold = of_single_models(sample), self.folds[number]
        fit, held_out = sample.take(fold.fit), sample.take(fold.held_out)
        if not self.stops:
            return FoldRows(fit, None, held_out)
        watched = watched_rows(fit.bad, seed=number)
        return FoldRows(fit, (fit.take(np.flatnonzero(~watched)), fit.take(np.flatnonzero(watched))), held_out)


def _joined(fits: Sequence[FoldFit], seconds: float) -> OutOfFold:
    trees = [fit.trees for fit in fits if fit.trees]
    wrong_way = [fit.wrong_way for fit in fits if fit.wrong_way is not None]
    return OutOfFold(
        [fit.log_odds for fit in fits],
        [fit.auc for fit in fits],
        round(median(trees)) if trees else None,
        fmean(fit.cost for fit in fits),
        seconds,
        max(wrong_way, default=None),
    )


def _share_wrong_way(scorer: Scorer, rows: Sample) -> float:
    """Return the largest share of rows whose score moves against the direction of a feature."""
    checks = check_directions(scorer.log_odds, rows)
    return max((check.share_violating or 0.0 for check in checks), default=0.0)


def _folds_of(experiment: Experiment) -> tuple[Fold, ...]:
    """Return the folds to evaluate on; a search over families repeats those of few rows."""
    if not experiment.searches_families or experiment.applications.times is not None:
        return experiment.split.folds
    return repeated_folds(experiment.split, experiment.development.bad, seed=experiment.settings.split.seed)


def _name(parameters: Parameters) -> str:
    return json.dumps(dict(parameters), sort_keys=True)
