"""The manifest of a training table is found by the name that is offered and by the folder that it leads to."""

import json
from pathlib import Path

from pipelines.marketplace.manifest import MANIFEST, manifest_beside
from pipelines.settings import DataSettings, Source


def settings_of(path: Path) -> DataSettings:
    return DataSettings(source=Source.marketplace, path=str(path))


def test_a_record_of_the_folder_itself_finds_the_manifest_too(tmp_path: Path) -> None:
    # given a marketplace as `thinfile prepare` leaves it: `training` leads to the folder that was made
    made = tmp_path / "prepared" / "0123456789abcdef" / "applications" / "mature"
    made.mkdir(parents=True)
    (tmp_path / "training").symlink_to(made.relative_to(tmp_path))
    (tmp_path / MANIFEST).write_text(json.dumps({"identity": "0123456789abcdef"}))
    # then
    assert manifest_beside(settings_of(tmp_path / "training"))["identity"] == "0123456789abcdef"
    assert manifest_beside(settings_of(made))["identity"] == "0123456789abcdef"
    # when it is prepared anew, the manifest is another's
    (tmp_path / MANIFEST).write_text(json.dumps({"identity": "another"}))
    assert manifest_beside(settings_of(made)) == {}


def test_other_data_has_none(tmp_path: Path) -> None:
    assert manifest_beside(DataSettings(source=Source.table, path=str(tmp_path))) == {}
    assert manifest_beside(settings_of(tmp_path / "training")) == {}
