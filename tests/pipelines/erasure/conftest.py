"""Fixtures of the erasure's tests."""

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.erasure.erase import erase
from pipelines.storage.workspace import Workspace
from tests.pipelines.erasure.filled_workspace import GONE, fill, settings


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    """A workspace with a lake, its quarantine, a prepared table and a score log."""
    return fill(workspace)


@pytest.fixture
def gone(filled: Workspace) -> Callable[..., Any]:
    """Return the verb, for this workspace."""
    return lambda customer=GONE, **told: erase(settings(filled, customer, **told))
