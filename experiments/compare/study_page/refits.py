"""Fits the configuration of a trial again on the folds of its study: with fewer rows, or without some features."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.experiment.experiment import Experiment
from experiments.search.finalists import fitted_parameters
from experiments.search.trial_result import TrialResult
from pipelines.applications.repeated_folds import repeated_folds
from pipelines.applications.splits import Fold
from pipelines.candidates.training import held_out_log_odds
from pipelines.credit.discrimination import auc

MOST_FOLDS = 10
"""Of repeated divisions into folds as many are used as have at most so many folds; one at least."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Refits:
    """Fits on the folds of a study.

    Early stopping does not choose the number of trees again: each fit has the number that a registered model of the
    trial would have. `done` is called after each pass over the folds.
    """

    experiment: Experiment
    done: Callable[[str], None] = lambda _: None

    @property
    def division(self) -> Sequence[Fold]:
        """The folds of one division: no row is held out twice."""
        return self.experiment.split.folds

    @cached_property
    def folds(self) -> Sequence[Fold]:
        """The folds that differences are measured on: those of few rows are repeated, others and those in time not."""
        experiment, one = self.experiment, len(self.division)
        if experiment.applications.times is not None:
            return self.division
        repeated = repeated_folds(experiment.split, experiment.development.bad, seed=experiment.settings.split.seed)
        return repeated[: max(MOST_FOLDS // one, 1) * one]

    @property
    def held_out_to_fit(self) -> float:
        """The rows that a fold holds out per row that it fits on, the mean over the folds."""
        return fmean(len(fold.held_out) / len(fold.fit) for fold in self.division)

    def parameters_of(self, trial: TrialResult) -> Mapping[str, Any]:
        """Return the parameters to fit a trial with."""
        return fitted_parameters(self.experiment, trial)

    def log_odds(self, parameters: Mapping[str, Any], folds: Sequence[Fold]) -> list[Floats]:
        """Return, per fold, the log-odds of its held-out rows."""
        settings = self.experiment.settings
        return held_out_log_odds(
            self.experiment.candidate_with(parameters),
            self.experiment.sample_with(parameters),
            folds,
            seed=settings.seed,
            threads=settings.threads,
        )

    def aucs(self, parameters: Mapping[str, Any], folds: Sequence[Fold], step: str) -> list[float]:
        """Return the AUC of each fold's held-out rows; `step` names the pass in the progress bar."""
        bad = self.experiment.development.bad
        scores = self.log_odds(parameters, folds)
        self.done(step)
        return [auc(bad[fold.held_out], one) for fold, one in zip(folds, scores, strict=True)]
