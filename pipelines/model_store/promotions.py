"""The numbers that promotion ledgers know: MLflow must never give one of them to another model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Column, Integer, MetaData, String, Table, func, inspect, select

from pipelines.command.verb import VerbSettings, carried
from pipelines.errors import AnswerIsNo
from pipelines.model_store.addresses import engine_of, is_server, registry_uri
from pipelines.model_store.tags import LEDGER_HEAD
from pipelines.storage.chain import Chain
from pipelines.storage.workspace import Workspace

VERSIONS = Table("model_versions", MetaData(), Column("name", String), Column("version", Integer))
"""MLflow's table of versions; deleted ones stay in it."""


class RegistryLost(AnswerIsNo):
    """MLflow lacks versions that a ledger knows: its database was lost, or is an older copy."""


@dataclass
class _Named(VerbSettings):
    model: str = "credit_score"


def promotions_of(workspace: Workspace, model: str) -> Chain:
    """Return the chain that holds the promotion ledger of a model."""
    return Chain(workspace, f"promotions of {model}")


def overrides_of(workspace: Workspace, model: str) -> str:
    """Return the overrides by which another command finds a ledger, each after a space."""
    return carried(_Named(workspace=str(workspace.root), model=model))


def highest_judged(workspace: Workspace, model: str) -> int:
    """Return the highest number of a version in the ledger of a model, 0 without one; no database is created.

    Entries are not checked here: a ledger that was changed knows the numbers too.
    """
    if not workspace.database and not workspace.chain.exists():
        return 0
    return _highest(promotions_of(workspace, model).unchecked())


def _highest(entries: Iterable[Mapping[str, object]]) -> int:
    numbers = [content.get("version") for content in entries]
    return max((number for number in numbers if isinstance(number, int)), default=0)


def highest_given(workspace: Workspace, model: str) -> int:
    """Return the highest number that MLflow gave to a version of a model, also if it was deleted; 0 without one.

    A server does not list deleted versions: those that its copy of the ledger's head covers were given too.
    """
    uri = registry_uri(workspace)
    if is_server(uri):
        return _highest_at_server(workspace, model)
    engine = engine_of(uri)
    if engine is None or not inspect(engine).has_table(VERSIONS.name):
        return 0
    with engine.connect() as connection:
        query = select(func.max(VERSIONS.c.version)).where(VERSIONS.c.name == model)
        return int(connection.execute(query).scalar() or 0)


def _highest_at_server(workspace: Workspace, model: str) -> int:
    from pipelines.model_store.store import ModelStore

    store = ModelStore(workspace)
    present = max((one.version for one in store.versions(model)), default=0)
    length = store.standing(model)[1].get(LEDGER_HEAD, "").partition(" ")[0]
    carried_out = int(length) if length.isdigit() else 0
    return max(present, _highest(islice(promotions_of(workspace, model).unchecked(), carried_out)))


def require_known_numbers(workspace: Workspace, model: str) -> None:
    """Raise RegistryLost where the ledger knows a higher number than MLflow has ever given to a version of a model.

    MLflow's own tables are read, without importing it.
    """
    judged = highest_judged(workspace, model)
    given = highest_given(workspace, model) if judged else 0
    if judged > given:
        up_to = f"has numbered its versions up to {given}" if given else "has never had a version of it"
        raise RegistryLost(
            f"the ledger of '{model}' has decisions about versions up to {judged}, and MLflow {up_to}: MLflow's "
            "database was lost or is an older copy; restore it, or register the versions again with "
            f"`thinfile promote rebuild{overrides_of(workspace, model)}`"
        )
