"""Where the reference profile of a version is."""

from pathlib import Path

from pipelines.model_store.files import PROFILE
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore


def profile_path(store: ModelStore, model: RegisteredModel) -> Path | None:
    """Return the file of a version's reference profile, None without one.

    It is registered with the model, which its hash covers, or attached to a version that another tool logged.
    """
    registered = store.download(model) / PROFILE
    return registered if registered.exists() else store.attached(model, PROFILE)
