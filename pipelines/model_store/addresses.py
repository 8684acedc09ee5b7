"""Where MLflow keeps runs and models: where MLflow's own variables say, else in THINFILE_DATABASE or the workspace.

MLflow itself, which takes seconds to import, is not needed to know it.
"""

import os
import shlex
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from pipelines.errors import ConfigurationError
from pipelines.secrets.redaction import redacted
from pipelines.storage.postgresql import DATABASE, SPELLINGS, address, open_engine
from pipelines.storage.workspace import Workspace, sqlite_url

TRACKING, REGISTRY = "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"
EXPERIMENT_NAME = "MLFLOW_EXPERIMENT_NAME"
SERVERS = ("http", "https")


def tracking_uri(workspace: Workspace) -> str:
    """Return the address of runs and logged models, passwords included.

    Raises:
        ConfigurationError: the variable has no address that can be used.
    """
    return _named_by(TRACKING) or _own(workspace)


def registry_uri(workspace: Workspace) -> str:
    """Return the address of registered models, passwords included. Raises as `tracking_uri` does."""
    return _named_by(REGISTRY) or tracking_uri(workspace)


def is_own(workspace: Workspace) -> bool:
    """Return whether runs are where the workspace's studies and their locks are, and not in a store of MLflow's own."""
    uri, own = tracking_uri(workspace), _own(workspace)
    return uri == own or (sqlite_path(own) is not None and not is_server(uri) and sqlite_path(uri) == sqlite_path(own))


def is_server(uri: str) -> bool:
    """Return whether an address is that of an MLflow server and not of a database."""
    return urlsplit(uri).scheme in SERVERS


def shown_uri(uri: str) -> str:
    """Return an address without its password.

    >>> shown_uri("http://anna:secret@host:5000"), shown_uri("sqlite:////tmp/a b/mlflow.db")
    ('http://anna:***@host:5000', 'sqlite:////tmp/a b/mlflow.db')
    """
    if is_server(uri):
        return redacted(uri)
    url = make_url(uri)
    secret = {key: "***" for key in url.query if "password" in key}
    return url.update_query_dict(secret).render_as_string() if secret or url.password else uri


def open_command(uri: str) -> str:
    """Return the command that opens the pages of runs and models.

    >>> open_command("https://mlflow.example.com"), open_command("sqlite:////tmp/a/mlflow.db")
    ('open https://mlflow.example.com', 'mlflow ui --backend-store-uri sqlite:////tmp/a/mlflow.db')
    """
    shown = shlex.quote(shown_uri(uri))
    return f"open {shown}" if is_server(uri) else f"mlflow ui --backend-store-uri {shown}"


def sqlite_path(uri: str) -> Path | None:
    """Return the file of a SQLite address, None for another database."""
    url = make_url(uri)
    return Path(url.database or "").absolute() if url.get_backend_name() == "sqlite" else None


def engine_of(uri: str) -> Engine | None:
    """Return an engine on a database of MLflow's, None where its file does not exist yet."""
    path = sqlite_path(uri)
    if path is None:
        return open_engine(uri, TRACKING)
    return create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool) if path.exists() else None


def experiment_name(model: str) -> str:
    """Return the name of the MLflow experiment for the runs of a model: MLFLOW_EXPERIMENT_NAME, else the model's."""
    return os.environ.get(EXPERIMENT_NAME) or model


def _own(workspace: Workspace) -> str:
    return address(workspace.database) if workspace.database else sqlite_url(workspace.mlflow)


def _named_by(variable: str) -> str | None:
    """Return the address in a variable of the environment, None where it is not set."""
    uri = os.environ.get(variable)
    if not uri:
        return None
    parts = urlsplit(uri)
    if parts.scheme in SERVERS and parts.hostname:
        return uri.rstrip("/")
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):
        url = None
    if url is not None and url.get_backend_name() == "sqlite" and url.database:
        return uri
    if url is not None and url.drivername in SPELLINGS:
        return address(uri, variable)
    received = "another text" if url is None else f"{url.drivername}://..."
    raise ConfigurationError(
        f"{variable} must be the address of an MLflow server or a database, received {received}; write "
        "https://HOST, postgresql://USER@HOST/DATABASE or sqlite:///FILE, or unset it to keep runs and models where "
        f"{DATABASE} or the workspace has them"
    )
