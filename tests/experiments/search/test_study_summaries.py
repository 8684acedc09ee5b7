"""Summaries of all studies are what their trials add up to."""

from pathlib import Path

import pytest

from experiments.experiment.recorded_settings import FAMILY
from experiments.search.stored_studies import State, stored_trials, study_names
from experiments.search.study import Study
from experiments.search.study_database import existing_studies
from experiments.search.study_summaries import StudySummary, summaries
from experiments.search.trial_result import starting_with
from pipelines.storage.workspace import Workspace
from tests.experiments.search.stored import IDENTITIES, SPACE, mixed


def test_counts_seconds_and_the_best_trial_are_those_of_the_trials(workspace_with_studies: Workspace) -> None:
    engine = existing_studies(workspace_with_studies)
    assert engine is not None
    with engine.connect() as connection:
        names = study_names(connection)
        found = summaries(connection, names, {IDENTITIES[1]: {0, 3}})
        assert [one.name for one in found] == names
        for one in found:
            trials = stored_trials(connection, one.name)
            assert one.counts == {
                state: count for state in State if (count := sum(trial.state is state for trial in trials))
            }
            assert one.seconds == pytest.approx(sum(trial.seconds or 0 for trial in trials), abs=0.01)
            best = max((trial for trial in trials if trial.value is not None), key=lambda trial: trial.value or 0)
            assert one.best is not None
            assert (one.best.number, one.best.value) == (best.number, best.value)
            assert one.best.family == best.parameters[FAMILY]
            assert one.best.notes == best.notes
        assert set(found[1].notes) == {0, 3, found[1].best.number if found[1].best else None}


def test_no_studies_have_no_summaries(workspace_with_studies: Workspace) -> None:
    engine = existing_studies(workspace_with_studies)
    assert engine is not None
    with engine.connect() as connection:
        nothing: list[StudySummary] = summaries(connection, [], {})
    assert nothing == []


def test_a_trial_that_breaks_a_constraint_ranks_behind_those_that_meet_it(tmp_path: Path) -> None:
    workspace = Workspace.at(str(tmp_path))
    study = Study(
        workspace,
        IDENTITIES[0],
        SPACE,
        guide=starting_with({FAMILY: "catboost", "rate": 0.3}),
        seed=0,
        constraints={"rate": lambda answer, _: answer.value - 0.72},
    )
    list(study.run(mixed, 12))
    engine = existing_studies(workspace)
    assert engine is not None
    with engine.connect() as connection:
        (summary,) = summaries(connection, study_names(connection), {})
        trials = [one for one in stored_trials(connection, summary.name) if one.value is not None]
    feasible = [trial for trial in study.finished() if trial.breach == 0]
    best = max(feasible, key=lambda trial: (trial.value, -trial.number))
    assert 0 < len(feasible) < len(trials)
    assert {one.number: one.breach for one in trials} == {one.number: one.breach for one in study.finished()}
    assert summary.best is not None
    assert summary.best.number == min(trials, key=lambda one: one.rank).number == best.number
