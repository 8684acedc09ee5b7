"""Every test of candidates sees the family of another package too."""

from collections.abc import Iterator

import pytest

from tests.outside_family import installed


@pytest.fixture(autouse=True, scope="package")
def outside_family() -> Iterator[None]:
    with installed():
        yield
