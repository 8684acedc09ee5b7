"""A workspace that the tests of a file share; each uses a model of its own name."""

import pytest

from pipelines.model_store.store import ModelStore
from pipelines.storage.workspace import Workspace
from tests.experiments.ledgers import Book


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    """A store with an empty registry."""
    return ModelStore(Workspace.at(str(tmp_path_factory.mktemp("store") / "workspace")))


@pytest.fixture
def book(store: ModelStore, request: pytest.FixtureRequest) -> Book:
    """The ledger of a model that no other test uses, empty."""
    return Book(store, request.node.name.replace("/", "|"))
