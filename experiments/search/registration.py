"""Turns the best trial of a study into a registered model with its evidence beside it."""

import json
from pathlib import Path

from experiments.evidence.evaluation import Evaluation, evaluate
from experiments.evidence.pictures import write_pictures
from experiments.evidence.separation import separation
from experiments.experiment.experiment import Question, outcome_of, reference_applications
from experiments.search.study import TrialResult
from pipelines.candidates.portable_model import columns_of
from pipelines.candidates.registry import family_named
from pipelines.candidates.training import TrainedModel, train
from pipelines.credit.points import points
from pipelines.credit.population import Population
from pipelines.model_store.files import PROFILE
from pipelines.model_store.packaging import save_mlflow_model
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import (
    CANDIDATE,
    CV_AUC,
    DATA,
    EVALUATION,
    FITTED_UNTIL,
    MODEL_HASH,
    OUTCOME,
    PARAMETERS,
    STUDY,
    TEST_FROM,
    TEST_PART,
    TRIAL,
)
from pipelines.profiles.reference_profile import profile_of
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.workspace import Workspace


def register_trial(
    store: ModelStore, question: Question, trial: TrialResult, *, experiment: str, run_id: str
) -> RegisteredModel:
    """Refit a trial on the development part, judge it on the test part and register it; one version however often."""
    settings = question.settings
    found = store.find_version(settings.model, {STUDY: question.study, TRIAL: str(trial.number)})
    if found is not None:
        return found
    with scratch_folder(Workspace.at(settings.workspace).root) as scratch:
        folder = scratch / "mlflow_model"
        tags = build_version(question, trial, folder)
        return store.register(settings.model, experiment=experiment, run_id=run_id, model_folder=folder, tags=tags)


def build_version(question: Question, trial: TrialResult, folder: Path) -> dict[str, str]:
    """Refit a trial, write it with its evidence as an MLflow model into a new folder, and return the version's tags."""
    settings = question.settings
    trained = train(
        question.candidate_with(trial.parameters),
        question.sample_with(trial.parameters),
        question.split.folds,
        settings.candidate.calibration,
        seed=settings.seed,
        threads=settings.threads,
    )
    tags = {MODEL_HASH: save_mlflow_model(trained, folder)} | _tags(question, trial)
    tags[EVALUATION] = json.dumps(_write_evidence(question, trained, folder).record())
    return tags


def _tags(question: Question, trial: TrialResult) -> dict[str, str]:
    """Return what the registry says about a version besides its evaluation."""
    tags = {
        STUDY: question.study,
        TRIAL: str(trial.number),
        CANDIDATE: question.candidate.family,
        DATA: question.applications.fingerprint,
        TEST_PART: question.split.test_part,
        CV_AUC: repr(trial.value),
        PARAMETERS: json.dumps(trial.parameters),
        OUTCOME: outcome_of(question.settings.data),
    }
    times = question.applications.times
    if times is not None:
        tags[FITTED_UNTIL] = str(times[question.split.development].max())
        tags[TEST_FROM] = str(times[question.split.test].min())
    return tags


def _write_evidence(question: Question, trained: TrainedModel, folder: Path) -> Evaluation:
    """Write evaluation, pictures, points table and reference profile beside the model; return the evaluation."""
    test, settings = question.test, question.settings
    probability = trained.model.probability_of_bad(test.columns)
    evaluation = evaluate(test.bad, probability, seed=settings.seed)
    evidence = folder / "evaluation"
    evidence.mkdir()
    (evidence / "evaluation.json").write_text(json.dumps(evaluation.record(), indent=1))
    title = f"{question.candidate.family} on {evaluation.rows:,} test applications, {evaluation.bad:,} bad"
    shares = separation(test.bad, points(probability, settings.policy.scale))
    write_pictures(evidence, evaluation.record(), shares, title)
    points_table = family_named(trained.candidate.family).points_table
    if points_table is not None:
        table = points_table(trained.model.scorer, trained.model.card["calibration"], settings.policy.scale)
        table.to_csv(folder / "points_table.csv", index=False)
    numeric, categorical = trained.model.numeric, trained.model.categorical
    everyone = reference_applications(question)
    features = everyone.features[[*numeric, *categorical]]
    asked = trained.model.probability_of_bad(columns_of(features, numeric, categorical))
    whole = points(asked, settings.policy.scale)
    profile = profile_of(whole, asked, features, numeric, Population.applications, everyone.times)
    (folder / PROFILE).write_text(profile.to_json())
    return evaluation
