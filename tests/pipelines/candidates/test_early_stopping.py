"""The number of trees is chosen on rows that are not learnt from."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.candidates.early_stopping import MOST_TREES, StoppableCandidate, watched_rows
from pipelines.candidates.registry import candidate_of, family_named
from pipelines.candidates.sample import Sample
from pipelines.candidates.settings import parameters_of
from tests.pipelines.candidates.test_conformance import CATEGORICAL, NUMERIC, OWN_FAMILIES, a_table, settings_of

STOPPABLE = [name for name in OWN_FAMILIES if isinstance(candidate_of(settings_of(name)), StoppableCandidate)]


@pytest.mark.parametrize("name", STOPPABLE)
def test_a_stopped_fit_is_the_fit_of_so_many_trees_and_the_best_on_the_watched_rows(name: str) -> None:
    table, bad = a_table(2000)
    sample, is_watched = Sample.of(table, bad, NUMERIC, CATEGORICAL), watched_rows(bad, seed=0)
    learnt, watched = sample.take(np.flatnonzero(~is_watched)), sample.take(np.flatnonzero(is_watched))
    candidate = candidate_of(settings_of(name))
    assert isinstance(candidate, StoppableCandidate)
    stopped, trees = candidate.fit_stopped(learnt, watched, seed=1, threads=1)
    assert 1 < trees < MOST_TREES

    def of_so_many(count: int) -> np.ndarray:
        parameters = replace(parameters_of(settings_of(name)), **{candidate.trees_parameter: count})
        scorer = family_named(name).candidate(parameters).fit(learnt, seed=1, threads=1)
        return np.asarray(scorer.log_odds(watched.columns))

    def log_loss(log_odds: np.ndarray) -> float:
        return float(np.logaddexp(0, np.where(watched.bad == 1, -log_odds, log_odds)).mean())

    np.testing.assert_allclose(of_so_many(trees), stopped.log_odds(watched.columns), rtol=0, atol=1e-5)
    for other in (trees // 2, trees - 1, trees + 1, 2 * trees):
        assert log_loss(of_so_many(trees)) <= log_loss(of_so_many(other)) + 1e-7
