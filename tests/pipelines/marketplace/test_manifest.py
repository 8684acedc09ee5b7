"""The manifest of a training table is found by the name that is offered and by the folder that it leads to."""

from pathlib import Path

from pipelines.applications.settings import DataSettings, Source
from pipelines.marketplace.manifest import manifest_beside


def settings_of(path: Path) -> DataSettings:
    return DataSettings(source=Source.marketplace, path=str(path))


def test_other_data_has_none(tmp_path: Path) -> None:
    assert manifest_beside(DataSettings(source=Source.table, path=str(tmp_path))) == {}
    assert manifest_beside(settings_of(tmp_path / "training")) == {}
