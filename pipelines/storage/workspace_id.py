"""The id of a workspace, by which stores that several workspaces share distinguish them; a moved workspace keeps it."""

from uuid import uuid4

from pipelines.storage.atomic_files import write_once
from pipelines.storage.workspace import Workspace


def workspace_id(workspace: Workspace) -> str | None:
    """Return the workspace's id, None before it has one."""
    return workspace.identity.read_text().strip() if workspace.identity.exists() else None


def ensure_workspace_id(workspace: Workspace) -> str:
    """Return the workspace's id, drawn if it has none; of several commands at once the first wins."""
    write_once(workspace.identity, f"{uuid4().hex}\n")
    return workspace.identity.read_text().strip()
