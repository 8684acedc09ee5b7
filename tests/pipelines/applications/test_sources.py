"""Where a table of applications is, and the messages of one that is nowhere."""

from collections import Counter
from pathlib import Path

import pytest

from pipelines.applications.settings import DataSettings, Source
from pipelines.applications.sources import german_credit_path, source_path
from pipelines.errors import DataError
from pipelines.reading.settings import ReadingSettings
from pipelines.reading.tables import read_table


def test_a_table_without_a_path_is_told() -> None:
    with pytest.raises(DataError, match=r"data.path is not set .*; add data.path=FILE"):
        source_path(DataSettings(source=Source.table))


def test_the_german_data_is_the_thousand_applications_of_hofmann(tmp_path: Path) -> None:
    table = read_table(source_path(DataSettings(source=Source.german_credit)), ReadingSettings(), tmp_path)
    assert table.shape == (1000, 21)
    assert Counter(table["creditability"].to_pylist()) == {"good": 700, "bad": 300}
    assert german_credit_path().is_file()


def test_a_marketplace_that_is_not_prepared_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"does not exist; run `thinfile prepare`"):
        source_path(DataSettings(source=Source.marketplace, path=str(tmp_path / "training")))
