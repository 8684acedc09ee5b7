"""Turns the best trial of a study into a registered model with its evidence beside it."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.evidence.evaluation import evaluate, separation
from experiments.evidence.monotonicity import checked
from experiments.evidence.pictures import write_pictures
from experiments.experiment.experiment import Experiment, outcome_of, reference_applications
from experiments.experiment.labels import label_tags
from experiments.experiment.settings import TuneSettings
from experiments.search.finalists import Finalist
from experiments.search.measured_cost import measured_cost
from experiments.search.tracking import Tracking
from pipelines.candidates.portable_model import columns_of, read_card
from pipelines.candidates.registry import family_named
from pipelines.candidates.training import TrainedModel, train
from pipelines.credit.points import points
from pipelines.credit.population import Population
from pipelines.model_store.files import EVALUATION_FOLDER, FILES, POINTS_TABLE, PROFILE
from pipelines.model_store.native import generated_code_hash
from pipelines.model_store.packaging import save_mlflow_model
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import (
    CANDIDATE,
    CV_AUC,
    DATA,
    EVALUATION,
    FITTED_UNTIL,
    GENERATED_CODE,
    MEASURED_COST,
    OUTCOME,
    PARAMETERS,
    PARTS,
    STUDY,
    TEST_FROM,
    TEST_PART,
    TRIAL,
)
from pipelines.model_store.training_record import write_training_record
from pipelines.profiles.development_profile import profile_of
from pipelines.profiles.mean_contributions import with_contributions
from pipelines.storage.atomic_files import scratch_folder
from pipelines.storage.workspace import Workspace

log = logging.getLogger(__name__)

HeldOut = Sequence[NDArray[np.float64]]
"""Log-odds of each fold's held-out rows, as the search computed them."""


def register_finalist(
    tracking: Tracking,
    experiment: Experiment,
    finalist: Finalist,
    *,
    held_out: Callable[[], HeldOut] | None = None,
) -> RegisteredModel:
    """Fit a finalist on the development part, judge it on the test part and register it; one version however often."""
    settings, store = experiment.settings, tracking.store
    found = store.find_version(settings.model, {**tracking.study, TRIAL: finalist.label})
    if found is not None:
        return _labelled(store, found, settings)
    log.info("fitting and evaluating the final model")
    with scratch_folder(Workspace.at(settings.workspace).root) as scratch:
        folder, beside = scratch / "mlflow_model", scratch / "beside"
        tags = build_version(experiment, finalist, folder, beside, held_out() if held_out else None)
        registered = store.register(
            settings.model,
            experiment=tracking.mlflow_experiment,
            run_id=tracking.run_id,
            model_folder=folder,
            tags={**tags, **tracking.study, **label_tags(settings, {})},
            beside=beside,
        )
    return _labelled(store, registered, settings)


def _labelled(store: ModelStore, version: RegisteredModel, settings: TuneSettings) -> RegisteredModel:
    """Return a version with the labels of this launch added to its own."""
    tags = label_tags(settings, version.tags)
    if tags.items() <= version.tags.items():
        return version
    store.tag(version, tags)
    return store.version(version.name, version.version)


def build_version(
    experiment: Experiment, finalist: Finalist, folder: Path, beside: Path, held_out: HeldOut | None = None
) -> dict[str, str]:
    """Fit a finalist, write model and evaluation into a new folder each, and return the version's tags."""
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
    save_mlflow_model(trained, folder)
    _write_profile(experiment, trained, folder)
    tags = {CANDIDATE: family, GENERATED_CODE: generated_code_hash(folder)} | _tags(experiment, finalist)
    write_training_record(folder, tags)
    tags[EVALUATION] = json.dumps(_write_evaluation(experiment, trained, beside))
    tags[MEASURED_COST] = f"{measured_cost(trained.model, experiment.test.columns):.3g}"
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


def _write_evaluation(experiment: Experiment, trained: TrainedModel, folder: Path) -> dict[str, Any]:
    """Write evaluation, pictures and points table into a new folder; return the evaluation."""
    test, settings = experiment.test, experiment.settings
    probability = trained.model.probability_of_bad(test.columns)
    evaluation = evaluate(test.bad, probability, seed=settings.seed)
    record = evaluation.record() | _directions(experiment, trained)
    evidence = folder / EVALUATION_FOLDER
    evidence.mkdir(parents=True)
    (evidence / "evaluation.json").write_text(json.dumps(record, indent=1))
    title = f"{trained.candidate.family} on {evaluation.rows:,} test applications, {evaluation.bad:,} bad"
    shares = separation(test.bad, points(probability, settings.policy.scale))
    write_pictures(evidence, record, shares, title)
    points_table = family_named(trained.candidate.family).points_table
    if points_table is not None:
        table = points_table(trained.model.scorer, trained.model.card["calibration"], settings.policy.scale)
        table.to_csv(folder / POINTS_TABLE, index=False)
    return record


def _write_profile(experiment: Experiment, trained: TrainedModel, folder: Path) -> None:
    """Write the reference profile into the folder of the model, whose hash covers it."""
    numeric, categorical = trained.model.numeric, trained.model.categorical
    everyone = reference_applications(experiment)
    features = everyone.features[[*numeric, *categorical]]
    asked = trained.model.probability_of_bad(columns_of(features, numeric, categorical))
    whole = points(asked, experiment.settings.policy.scale)
    profile = with_contributions(
        profile_of(whole, asked, features, numeric, Population.applications, everyone.times),
        features,
        asked,
        [*numeric, *categorical],
        lambda rows: trained.model.contributions(columns_of(rows, numeric, categorical)),
    )
    (folder / PROFILE).write_text(profile.to_json())


def _directions(experiment: Experiment, trained: TrainedModel) -> dict[str, Any]:
    """Return how the model keeps to the declared directions; nothing where none is declared."""
    test, model = experiment.test, trained.model
    directions = {name: sign for name, sign in test.directions.items() if name in model.numeric}
    if not directions:
        return {}
    rows = replace(test, numeric=tuple(model.numeric), categorical=tuple(model.categorical))
    return {"directions": checked(model.predict, rows, directions, also=experiment.development.columns)}
