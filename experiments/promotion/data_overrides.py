"""The overrides for data in the command that may follow a decision about a version."""

from typing import Any

from pipelines.applications.settings import Source
from pipelines.command.verb import shell_word
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.store import ModelStore
from pipelines.model_store.tags import CONFIG
from pipelines.secrets.environment_text import ENVIRONMENT


def data_of_training(store: ModelStore, version: RegisteredModel) -> str | None:
    """Return the overrides for the data that a version learnt from.

    None where they would be many: those of a table of the user's own, which names its roles, or an unknown record.
    """
    data = _data(store, version)
    source, path = data.get("source"), str(data.get("path") or "")
    if source == Source.german_credit.value:
        return f"data={source}"
    if source == Source.marketplace.value and ENVIRONMENT not in path:
        return f"data={source} {shell_word('data.path', path)}" if path else f"data={source}"
    return None


def data_of_month(store: ModelStore, version: RegisteredModel) -> str:
    """Return the overrides for the data of a month: the marketplace where the version was made on one, or a table."""
    is_marketplace = _data(store, version).get("source") == Source.marketplace.value
    return "data=marketplace" if is_marketplace else "data=table data.path=FILE"


def _data(store: ModelStore, version: RegisteredModel) -> dict[str, Any]:
    record: dict[str, Any] = (store.read_record(version.run_id, CONFIG) or {}).get("data") or {}
    return record
