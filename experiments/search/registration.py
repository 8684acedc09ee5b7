"""Turns the best trial of a study into a registered model with its evidence beside it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.evidence.evaluation import Evaluation, evaluate, separation
from experiments.evidence.pictures import write_pictures
from experiments.experiment.experiment import Experiment, outcome_of, reference_applications
from experiments.search.finalists import Finalist
from pipelines.candidates.portable_model import columns_of, read_card
from pipelines.candidates.registry import family_named
from pipelines.candidates.training import TrainedModel, train
from pipelines.credit.points import points
from pipelines.credit.population import Population
from pipelines.model_store.files import FILES, PROFILE
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
    PARTS,
    STUDY,
    TEST_FROM,
    TEST_PART,
    TRIAL,
)
from pipelines.profiles.reference_profile import profile_of
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.workspace import Workspace

HeldOut = Sequence[NDArray[np.float64]]
"""Log-odds of each fold's held-out rows, as the search computed them."""


def register_finalist(
    store: ModelStore,
    experiment: Experiment,
    finalist: Finalist,
    *,
    held_out: Callable[[], HeldOut] | None = None,
    mlflow_experiment: str,
    run_id: str,
) -> RegisteredModel:
    """Fit a finalist on the development part, judge it on the test part and register it; one version however often."""
    settings = experiment.settings
    found = store.find_version(settings.model, {STUDY: experiment.study, TRIAL: finalist.label})
    if found is not None:
        return found
    with scratch_folder(Workspace.at(settings.workspace).root) as scratch:
        folder = scratch / "mlflow_model"
        tags = build_version(experiment, finalist, folder, held_out() if held_out else None)
        return store.register(
            settings.model, experiment=mlflow_experiment, run_id=run_id, model_folder=folder, tags=tags
        )


def build_version(
    experiment: Experiment, finalist: Finalist, folder: Path, held_out: HeldOut | None = None
) -> dict[str, str]:
    """Fit a finalist, write it with its evidence as an MLflow model into a new folder; return the version's tags."""
    settings = experiment.settings
    trained = train(
        experiment.candidate_with(finalist.parameters),
        experiment.sample_with(finalist.parameters),
        experiment.split.folds,
        settings.candidate.calibration,
        seed=settings.seed,
        threads=settings.threads,
        held_out=held_out,
    )
    family = trained.candidate.family
    tags = {MODEL_HASH: save_mlflow_model(trained, folder), CANDIDATE: family} | _tags(experiment, finalist)
    tags[EVALUATION] = json.dumps(_write_evidence(experiment, trained, folder).record())
    return tags | _parts_tag(folder)


def _parts_tag(folder: Path) -> dict[str, str]:
    """Return what the registry says about the parts of a blend; nothing of other models."""
    parts = [
        {"family": part["family"], "weight": part["weight"], "models": len(part["models"])}
        for part in read_card(folder / FILES).get("parts", ())
    ]
    return {PARTS: json.dumps(parts)} if parts else {}


def _tags(experiment: Experiment, finalist: Finalist) -> dict[str, str]:
    """Return what the registry says about a version besides its evaluation."""
    tags = {
        STUDY: experiment.study,
        TRIAL: finalist.label,
        DATA: experiment.applications.fingerprint,
        TEST_PART: experiment.split.test_part,
        CV_AUC: repr(finalist.value),
        PARAMETERS: json.dumps(finalist.parameters),
        OUTCOME: outcome_of(experiment.settings.data),
    }
    times = experiment.applications.times
    if times is not None:
        tags[FITTED_UNTIL] = str(times[experiment.split.development].max())
        tags[TEST_FROM] = str(times[experiment.split.test].min())
    return tags


def _write_evidence(experiment: Experiment, trained: TrainedModel, folder: Path) -> Evaluation:
    """Write evaluation, pictures, points table and reference profile beside the model; return the evaluation."""
    test, settings = experiment.test, experiment.settings
    probability = trained.model.probability_of_bad(test.columns)
    evaluation = evaluate(test.bad, probability, seed=settings.seed)
    evidence = folder / "evaluation"
    evidence.mkdir()
    (evidence / "evaluation.json").write_text(json.dumps(evaluation.record(), indent=1))
    title = f"{trained.candidate.family} on {evaluation.rows:,} test applications, {evaluation.bad:,} bad"
    shares = separation(test.bad, points(probability, settings.policy.scale))
    write_pictures(evidence, evaluation.record(), shares, title)
    points_table = family_named(trained.candidate.family).points_table
    if points_table is not None:
        table = points_table(trained.model.scorer, trained.model.card["calibration"], settings.policy.scale)
        table.to_csv(folder / "points_table.csv", index=False)
    numeric, categorical = trained.model.numeric, trained.model.categorical
    everyone = reference_applications(experiment)
    features = everyone.features[[*numeric, *categorical]]
    asked = trained.model.probability_of_bad(columns_of(features, numeric, categorical))
    whole = points(asked, settings.policy.scale)
    profile = profile_of(whole, asked, features, numeric, Population.applications, everyone.times)
    (folder / PROFILE).write_text(profile.to_json())
    return evaluation
