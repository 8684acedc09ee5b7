"""How much each searched parameter decides the score of a trial: fANOVA, as Optuna computes it."""

from collections.abc import Mapping, Sequence
from math import isclose

import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState, create_trial

from experiments.search.space import Distribution
from pipelines.candidates.settings import Range

FEWEST_TRIALS = 10
"""A forest fitted on fewer trials describes their noise."""

SEED = 0

Tried = tuple[Mapping[str, float | int], float]
"""The numeric parameters of a trial, and its score."""


def parameter_importances(trials: Sequence[Tried], ranges: Mapping[str, Range]) -> dict[str, float]:
    """Return the share of the variance of the score that each parameter explains alone, largest first; they sum to 1.

    fANOVA (Hutter, Hoos and Leyton-Brown 2014): a random forest learns the score from the parameters, and its variance
    over the searched box is divided between them. All trials have the same parameters, which is why the families of a
    study are judged one by one. `ranges` say which parameters are searched on a logarithmic scale; the box is that of
    the values tried. Parameters that never varied are left out, and nothing is returned where all scores are equal.

    Raises:
        ValueError: fewer than `FEWEST_TRIALS` trials.
    """
    if len(trials) < FEWEST_TRIALS:
        raise ValueError(f"importances need at least {FEWEST_TRIALS} finished trials, received {len(trials)}")
    names = [name for name in trials[0][0] if len({parameters[name] for parameters, _ in trials}) > 1]
    if not names or isclose(min(score for _, score in trials), max(score for _, score in trials), abs_tol=1e-12):
        return {}
    space = {name: _distribution([parameters[name] for parameters, _ in trials], ranges.get(name)) for name in names}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    study.add_trials(
        create_trial(
            state=TrialState.COMPLETE,
            value=score,
            params={name: parameters[name] for name in names},
            distributions=dict(space),
        )
        for parameters, score in trials
    )
    shares = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=SEED))
    return {name: float(share) for name, share in shares.items()}


def _distribution(values: Sequence[float | int], searched: Range | None) -> Distribution:
    low, high = min(values), max(values)
    log = searched is not None and searched.log and low > 0
    if all(isinstance(value, int) for value in values):
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(low, high, log=log)
