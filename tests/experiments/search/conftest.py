"""Studies that the tests of reading share."""

import pytest

from pipelines.storage.workspace import Workspace
from tests.experiments.search.stored import studied
from tests.postgresql import fresh_database
from tests.real_parts import STORES


@pytest.fixture(scope="session", params=STORES)
def workspace_with_studies(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with studies, once on SQLite and once on PostgreSQL."""
    root = tmp_path_factory.mktemp("studies")
    database = None if request.param == "sqlite" else fresh_database(request.getfixturevalue("postgresql"))
    return studied(Workspace(root, database))
