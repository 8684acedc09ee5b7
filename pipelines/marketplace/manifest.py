"""The manifest of a training table, and the lake that `thinfile prepare` made the table from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import DataError
from pipelines.features.settings import FeatureSettings, recorded_features
from pipelines.marketplace.buckets import CLEAN

INTAKE, MANIFEST = "intake.json", "manifest.json"


@dataclass(frozen=True)
class IntakeRecord:
    """The recorded intake: its identity, the number of buckets, and the counts of each table."""

    identity: str
    buckets: int
    tables: Mapping[str, Any]


@dataclass(frozen=True)
class PreparedLake:
    """The folder of the clean tables, and the settings that features were computed with."""

    folder: Path
    features: FeatureSettings
    lag_days: int


def manifest_beside(data: DataSettings) -> Mapping[str, Any]:
    """Return the manifest of a prepared marketplace's training table, empty for other data."""
    if data.source is not Source.marketplace or data.path is None:
        return {}
    # The link `training` points to the latest preparation; a record has the path that it pointed to.
    folder = _nearest(Path(data.path), MANIFEST)
    manifest: Mapping[str, Any] = json.loads((folder / MANIFEST).read_text()) if folder else {}
    return manifest


def _nearest(path: Path, name: str) -> Path | None:
    """Return the nearest folder above a resolved path that contains `name`."""
    return next((folder for folder in path.resolve().parents if (folder / name).exists()), None)


def lake_beside(data: DataSettings) -> PreparedLake:
    """Return the lake that a training table was made from.

    Raises:
        DataError: the table has no manifest beside it, or the clean tables are not those of the manifest.
    """
    manifest = manifest_beside(data)
    if "intake" not in manifest:
        raise DataError(
            f"training table '{data.path}' has no manifest beside it; run `thinfile prepare` and leave the table in "
            "its folder"
        )
    path = Path(str(data.path))
    folder = _nearest(path, CLEAN)
    _check_unchanged(path, folder, manifest)
    assert folder is not None
    settings = manifest["configuration"]
    features = recorded_features(settings["features"])
    return PreparedLake(folder, features, settings["loan"]["feature_lag_days"])


def _check_unchanged(path: Path, folder: Path | None, manifest: Mapping[str, Any]) -> None:
    again = "run `thinfile prepare` and `thinfile tune` again"
    if folder is None or not (folder / INTAKE).exists():
        raise DataError(f"there are no clean tables beside the training table '{path}'; {again}")
    if json.loads((folder / INTAKE).read_text())["identity"] != manifest["intake"]:
        raise DataError(f"the clean tables in '{folder}' were replaced after the manifest was written; {again}")
    made = folder / "prepared"
    parts = path.resolve().relative_to(made).parts if path.resolve().is_relative_to(made) else ()
    if parts and parts[0] != manifest["identity"]:
        raise DataError(
            f"'{path}' is the table {parts[0]}, and the manifest beside it is of {manifest['identity']}; {again}"
        )
