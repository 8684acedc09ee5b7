"""Makes MLflow's databases, once for all workers, and finds out whether an MLflow server answers."""

from pathlib import Path

from sqlalchemy import Engine, inspect

from pipelines.errors import ThinfileError
from pipelines.model_store.addresses import (
    REGISTRY,
    TRACKING,
    engine_of,
    is_server,
    registry_uri,
    shown_uri,
    sqlite_path,
    tracking_uri,
)
from pipelines.secrets.redaction import redacted
from pipelines.storage.postgresql import advisory_lock
from pipelines.storage.workspace import Workspace, new_sqlite, sqlite_url

TABLE_OF_VERSIONS = "alembic_version"
"""The table that MLflow writes last; one of a killed worker lacks it."""

SECONDS_TO_ANSWER = 20
REFUSALS = (401, 403)


class ServerUnavailable(ThinfileError):
    """An MLflow server does not answer, or refuses to."""


def is_initialised(workspace: Workspace) -> bool:
    """Return whether runs and models can be in MLflow: its tables are complete, or a server keeps them."""
    return all(
        is_server(uri) or _has_tables(engine_of(uri)) for uri in (tracking_uri(workspace), registry_uri(workspace))
    )


def make_ready(uri: str, workspace: Workspace) -> None:
    """Create the tables of a database of MLflow's; a worker that meets a half-made one would crash.

    Raises:
        ServerUnavailable: the address is that of a server, and it does not answer or refuses the credentials.
    """
    if is_server(uri):
        _require_answer(uri)
    elif not _has_tables(engine := engine_of(uri)):
        _create_tables(uri, engine, workspace.artifacts)


def _has_tables(engine: Engine | None) -> bool:
    return engine is not None and inspect(engine).has_table(TABLE_OF_VERSIONS)


def _create_tables(uri: str, engine: Engine | None, artifacts: Path) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    path = sqlite_path(uri)
    if path is not None:
        with new_sqlite(path) as fresh:
            SqlAlchemyStore(sqlite_url(fresh), artifacts.as_uri()).engine.dispose()
        return
    assert engine is not None
    with advisory_lock(engine, "thinfile tables"):
        if not _has_tables(engine):
            SqlAlchemyStore(uri, artifacts.as_uri()).engine.dispose()


def _require_answer(uri: str) -> None:
    """Ask a server once: MLflow itself repeats what fails for minutes."""
    import requests
    from mlflow.exceptions import MlflowException
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    try:
        response = http_request(
            get_default_host_creds(uri),
            "/api/2.0/mlflow/experiments/search",
            "GET",
            max_retries=0,
            timeout=SECONDS_TO_ANSWER,
            params={"max_results": 1},
        )
    except (MlflowException, requests.RequestException, OSError) as error:
        reason = redacted(str(error).partition("\n")[0])
        raise ServerUnavailable(
            f"the MLflow server {shown_uri(uri)} does not answer ({reason}); start it, or correct {TRACKING} and "
            f"{REGISTRY}"
        ) from None  # the cause's traceback may hold the password
    if response.status_code in REFUSALS:
        raise ServerUnavailable(
            f"the MLflow server {shown_uri(uri)} refuses the credentials (status {response.status_code}); set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
        )
    if response.status_code != 200:
        raise ServerUnavailable(
            f"{shown_uri(uri)} answers with status {response.status_code} where an MLflow server lists experiments; "
            f"correct {TRACKING} and {REGISTRY}"
        )
