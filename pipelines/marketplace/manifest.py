"""What `thinfile prepare` wrote about a training table, found beside it, and the lake that the table was made of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.applications.settings import DataSettings, Source
from pipelines.errors import DataError
from pipelines.features.settings import FeatureSettings, What
from pipelines.marketplace.buckets import CLEAN

INTAKE, MANIFEST = "intake.json", "manifest.json"


@dataclass(frozen=True)
class Taken:
    """What the intake made: its identity, the number of buckets, and rows by table."""

    identity: str
    buckets: int
    tables: Mapping[str, Any]


@dataclass(frozen=True)
class PreparedLake:
    """The folder that holds the clean tables, and how features were made of them."""

    folder: Path
    features: FeatureSettings
    lag_days: int


def manifest_beside(data: DataSettings) -> Mapping[str, Any]:
    """Return the manifest of a prepared marketplace's training table, empty for data that was not prepared here."""
    if data.source is not Source.marketplace or data.path is None:
        return {}
    # A name such as `training` leads to what was prepared last; a record says where it led.
    place = _nearest(Path(data.path), MANIFEST)
    found: Mapping[str, Any] = json.loads((place / MANIFEST).read_text()) if place else {}
    return found


def _nearest(path: Path, name: str) -> Path | None:
    """Return the nearest folder above a path, where it leads, that holds something of that name."""
    return next((folder for folder in path.resolve().parents if (folder / name).exists()), None)


def lake_beside(data: DataSettings) -> PreparedLake:
    """Return the lake that a training table was made of.

    Raises:
        DataError: no manifest lies beside the table, or the clean tables are not, or no longer, those it speaks of.
    """
    manifest = manifest_beside(data)
    if "intake" not in manifest:
        raise DataError(
            f"the lake that made a training table must be known, no manifest of it lies beside '{data.path}'; "
            "run `thinfile prepare`, and leave the table in the folder that it was prepared in"
        )
    path = Path(str(data.path))
    folder = _nearest(path, CLEAN)
    _check_unchanged(path, folder, manifest)
    assert folder is not None
    told = manifest["configuration"]
    features = FeatureSettings(**told["features"] | {"what": [What(one) for one in told["features"]["what"]]})
    return PreparedLake(folder, features, told["loan"]["feature_lag_days"])


def _check_unchanged(path: Path, folder: Path | None, manifest: Mapping[str, Any]) -> None:
    again = "run `thinfile prepare` again and tune on what it makes"
    if folder is None or not (folder / INTAKE).exists():
        raise DataError(f"the clean tables of a training table must lie beside it, found none by '{path}'; {again}")
    if json.loads((folder / INTAKE).read_text())["identity"] != manifest["intake"]:
        raise DataError(f"the clean tables in '{folder}' must be of its manifest, others were read since; {again}")
    made = folder / "prepared"
    parts = path.resolve().relative_to(made).parts if path.resolve().is_relative_to(made) else ()
    if parts and parts[0] != manifest["identity"]:
        raise DataError(
            f"'{path}' must be what the manifest beside it speaks of, received {parts[0]} where the manifest is of "
            f"{manifest['identity']}; {again}"
        )
