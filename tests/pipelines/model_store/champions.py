"""Makes a trained model champion without a search and without gates."""

from pathlib import Path

from pipelines.candidates.training import TrainedModel
from pipelines.model_store.packaging import save_mlflow_model
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CHAMPION, MODEL_HASH, STUDY, TRIAL


def make_champion(
    store: ModelStore, trained: TrainedModel, folder: Path, name: str = "credit_score", **told: str
) -> RegisteredModel:
    """Save a trained model into a new folder, register it with tags and let the alias name it."""
    tags = {MODEL_HASH: save_mlflow_model(trained, folder), STUDY: folder.name, TRIAL: "0"} | told
    experiment = store.experiment(name)
    run = store.open_run(experiment, folder.name, {STUDY: folder.name})
    version = store.register(name, experiment=experiment, run_id=run, model_folder=folder, tags=tags)
    store.close_run(run)
    store.set_alias(version, CHAMPION)
    return version
