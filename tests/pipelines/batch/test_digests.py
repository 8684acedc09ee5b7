"""Ids of decisions in columns against those that hashlib makes row by row."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from pipelines.batch.digests import digests_of, numbers_of_digests, numbers_of_ids, spelled_ids
from pipelines.credit.population import Population
from pipelines.score_log.key import LogKey, decision_ids

KEY = LogKey("credit_score", 3, Population.book, "2026-10")


@pytest.fixture(params=[True, False], ids=["DataFusion", "hashlib"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """DataFusion is installed, or is not."""
    monkeypatch.setattr("pipelines.batch.digests.find_spec", lambda _: request.param)


@pytest.mark.usefixtures("either_way")
def test_ids_are_those_of_hashlib_in_the_order_of_the_rows() -> None:
    asked = ["", "A", "Zoë", "信用", "a" * 300, "it's", 'a "b" \\ %', *(f"A{number}" for number in range(20_000))]
    found = spelled_ids(digests_of(KEY, "f00d", pa.array(asked)))
    assert found.to_pylist() == decision_ids(KEY, "f00d", np.array(asked))


@pytest.mark.usefixtures("either_way")
def test_a_slice_and_no_rows_at_all_have_their_own_ids() -> None:
    asked = pa.array([f"A{number}" for number in range(100)])
    whole = digests_of(KEY, "f00d", asked)
    np.testing.assert_array_equal(digests_of(KEY, "f00d", asked.slice(40, 7)), whole[40:47])
    assert digests_of(KEY, "f00d", asked[:0]).shape == (0, 16)


def test_numbers_of_digests_are_those_of_the_ids_they_spell() -> None:
    digests = digests_of(KEY, "f00d", pa.array(["A", "B", "C"]))
    np.testing.assert_array_equal(numbers_of_digests(digests), numbers_of_ids(spelled_ids(digests)))


def test_a_process_of_the_pool_imports_no_mlflow() -> None:
    program = "import sys, pipelines.batch.part; print('mlflow' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
