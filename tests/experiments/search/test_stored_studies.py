"""What is read from Optuna's tables is what Optuna reads."""

from pathlib import Path

import optuna
import pytest

from experiments.search.optuna_adapter import study_storage
from experiments.search.stored_studies import State, StoredTrial, StudyName, stored_trials, study_names
from experiments.search.study_database import existing_studies
from experiments.search.trial_result import AUCS, FAILURE, NOTES, without_family
from pipelines.storage.workspace import Workspace


def names_of(workspace: Workspace) -> list[StudyName]:
    engine = existing_studies(workspace)
    assert engine is not None
    with engine.connect() as connection:
        return study_names(connection)


def trials_of(workspace: Workspace, name: StudyName) -> list[StoredTrial]:
    engine = existing_studies(workspace)
    assert engine is not None
    with engine.connect() as connection:
        return stored_trials(connection, name)


def test_trials_are_those_that_optuna_reads(workspace_with_studies: Workspace) -> None:
    for name in names_of(workspace_with_studies):
        theirs = optuna.load_study(study_name=name.title, storage=study_storage(workspace_with_studies)).trials
        ours = trials_of(workspace_with_studies, name)
        assert len(ours) == 12
        assert {one.state for one in ours} == {State.COMPLETE, State.PRUNED, State.FAIL}
        for one, their in zip(ours, theirs, strict=True):
            assert (one.number, one.state.name) == (their.number, their.state.name)
            assert dict(one.parameters) == without_family(their.params)
            assert list(one.values) == (their.values or [])
            assert one.notes == their.user_attrs.get(NOTES, {})
            assert one.failure == their.user_attrs.get(FAILURE)
            assert their.duration is not None
            assert one.seconds == pytest.approx(their.duration.total_seconds())


def test_the_mean_auc_after_each_fold_is_kept_for_optuna_dashboard(workspace_with_studies: Workspace) -> None:
    name, *_ = names_of(workspace_with_studies)
    for trial in optuna.load_study(study_name=name.title, storage=study_storage(workspace_with_studies)).trials:
        if trial.state.name == "COMPLETE":
            first, second = trial.user_attrs[NOTES][AUCS]
            assert trial.intermediate_values == {0: first, 1: pytest.approx((first + second) / 2)}
        else:
            assert trial.intermediate_values == ({0: 0.6, 1: 0.55} if trial.state.name == "PRUNED" else {})


def test_names_say_model_candidate_and_identity(workspace_with_studies: Workspace) -> None:
    first, second = names_of(workspace_with_studies)
    assert (first.model, first.candidate, first.identity, first.short) == (
        "credit score",
        "auto",
        "0123456789abcdef",
        "01234567",
    )
    assert second.short == "0f234567"


def test_a_workspace_without_studies_stays_as_it_is(tmp_path: Path) -> None:
    assert existing_studies(Workspace(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []
