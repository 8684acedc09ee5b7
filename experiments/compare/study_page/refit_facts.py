"""What the page shows by fitting again: learning curve, ablation, calibration, and importance on the test part."""

import logging
from collections.abc import Callable, Mapping

import numpy as np

from experiments.compare.study_page.ablation import MOST_GROUPS, ablation
from experiments.compare.study_page.learning_curve import learning_curve, steps_of
from experiments.compare.study_page.permutation import permutation_importance
from experiments.compare.study_page.refits import Refits
from experiments.compare.study_page.search_facts import Record
from experiments.compare.study_page.trial_calibration import best_few, trial_calibration
from experiments.experiment.experiment import Experiment
from experiments.search.trial_result import TrialResult, best_of
from pipelines.command.progress import progress
from pipelines.errors import ThinfileError
from pipelines.model_store.predictor import Predictor

log = logging.getLogger(__name__)

RANKED_ROWS = 1_000
"""Contributions of so many development rows say which groups of features are left out one by one."""


def refit_facts(
    experiment: Experiment, trials: list[TrialResult], predictor: Callable[[], Predictor]
) -> dict[str, Record]:
    """Return the parts of the page that need models; `predictor` loads the registered version.

    A part that cannot be computed has the reason under `missing`; the others are still computed.
    """
    parts: dict[str, Record] = {}
    with progress("study page", _passes(experiment, trials), log) as advance:
        done = 0

        def step(words: str) -> None:
            nonlocal done
            done += 1
            advance(done, words)

        refits, best = Refits(experiment, step), best_of(trials)
        model = _loaded(predictor)
        parts["permutation"] = model if isinstance(model, dict) else _or_reason(lambda: _permuted(experiment, model))
        step("permutation importance")
        importance = {} if isinstance(model, dict) else _contributions(experiment, model)
        parameters = refits.parameters_of(best)
        full = refits.aucs(parameters, refits.folds, f"trial {best.number}")
        parts["ablation"] = _or_reason(lambda: ablation(refits, parameters, full, importance))
        parts["learning_curve"] = _or_reason(lambda: learning_curve(refits, parameters, full))
        parts["calibration"] = _or_reason(lambda: trial_calibration(refits, best_few(trials)))
    return parts


def _passes(experiment: Experiment, trials: list[TrialResult]) -> int:
    """Return about how many passes over the folds are made."""
    return 2 + min(len(experiment.groups), MOST_GROUPS) + steps_of(experiment) + len(best_few(trials))


def _or_reason(part: Callable[[], Record]) -> Record:
    """Return a part of the page, or why it could not be computed: an error of one does not take the others away."""
    try:
        return part()
    except (ThinfileError, ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        log.warning("a part of the study's page could not be computed: %s", error)
        return {"missing": str(error)}


def _loaded(predictor: Callable[[], Predictor]) -> Predictor | Record:
    try:
        return predictor()
    except ThinfileError as error:
        return {"missing": str(error)}


def _permuted(experiment: Experiment, predictor: Predictor) -> Record:
    test = experiment.test
    return permutation_importance(predictor, test.columns, test.bad)


def _contributions(experiment: Experiment, predictor: Predictor) -> Mapping[str, float]:
    """Return the mean absolute contribution of each feature to the log-odds, over some development rows."""
    sample = experiment.development
    rows = np.random.default_rng(0).permutation(len(sample.bad))[:RANKED_ROWS]
    explained = predictor.explain(sample.take(rows).columns)
    if explained is None:
        return {}
    names = [*predictor.numeric, *predictor.categorical]
    return dict(zip(names, np.abs(explained[1]).mean(axis=0).tolist(), strict=True))
