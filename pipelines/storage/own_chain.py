"""The chains that belong to one workspace; in a database of several workspaces their names have its id."""

from pipelines.storage.chain import Chain
from pipelines.storage.chain_head import ChainHead
from pipelines.storage.workspace import Workspace
from pipelines.storage.workspace_id import ensure_workspace_id, workspace_id


def own_chain(workspace: Workspace, kind: str) -> Chain:
    """Return the workspace's chain of a kind, to write to."""
    if workspace.database is None:
        return Chain(workspace, kind)
    return Chain(workspace, _begun(workspace, kind) or _name(kind, ensure_workspace_id(workspace)))


def existing_own_chain(workspace: Workspace, kind: str) -> Chain | None:
    """Return the workspace's chain of a kind, to read; None before it was written to. Creates nothing."""
    if workspace.database is None:
        return Chain(workspace, kind) if workspace.chain.exists() else None
    identity = workspace_id(workspace)
    name = _begun(workspace, kind) or (None if identity is None else _name(kind, identity))
    return None if name is None else Chain(workspace, name)


def _begun(workspace: Workspace, kind: str) -> str | None:
    """Return the name of the chain that the workspace has written to; those of earlier versions have no id in it."""
    return ChainHead(workspace, kind).chain()


def _name(kind: str, identity: str) -> str:
    return f"{kind} of {identity}"
