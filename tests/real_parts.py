"""Marks of tests with a real browser, Spark or PostgreSQL, which `make integration` runs and `make test` does not.

A test that uses the fixture `postgresql` itself is marked in tests/conftest.py.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from tests.chromium import find_chromium
from tests.pipelines.engine.ways import why_no_spark

Test = TypeVar("Test", bound=Callable[..., Any])

STORES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)]
"""Parameters of a fixture that opens either store."""


def needs_chromium(test: Test) -> Test:
    """Mark a test that opens pages in headless Chromium."""
    reason = "Chromium is not installed; install Debian's package chromium"
    return pytest.mark.integration(pytest.mark.skipif(find_chromium() is None, reason=reason)(test))


def needs_spark(test: Test) -> Test:
    """Mark a test that starts Spark."""
    return pytest.mark.integration(pytest.mark.skipif(bool(why_no_spark()), reason=why_no_spark())(test))
