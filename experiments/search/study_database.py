"""Where the studies of a workspace are kept, and a connection to read them with; nothing here imports Optuna."""

from sqlalchemy import Engine, create_engine, inspect
from sqlalchemy.pool import NullPool

from pipelines.storage.postgresql import in_schema, open_engine
from pipelines.storage.workspace import Workspace, sqlite_url

SCHEMA = "thinfile_studies"
"""The schema of studies and worker locks in PostgreSQL: both Optuna and MLflow keep a table `alembic_version`."""


def existing_studies(workspace: Workspace) -> Engine | None:
    """Return an engine on the database of the workspace's studies, None where there is none; it creates nothing."""
    if not workspace.database:
        return create_engine(sqlite_url(workspace.studies), poolclass=NullPool) if workspace.studies.exists() else None
    if not inspect(open_engine(workspace.database)).has_table("alembic_version", schema=SCHEMA):
        return None
    return create_engine(in_schema(workspace.database, SCHEMA), poolclass=NullPool)
