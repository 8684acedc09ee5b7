"""A simulated marketplace for the tests to look at."""

import pytest

from tests.pipelines.simulation.lakes import Lake, make_lake


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A marketplace in which nothing special happens."""
    return make_lake(tmp_path_factory.mktemp("lake"), customers=20_000, customers_per_part=10_000)
