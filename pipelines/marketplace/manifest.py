"""What `thinfile prepare` wrote about a training table, found beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.settings import DataSettings, Source

MANIFEST = "manifest.json"


def manifest_beside(data: DataSettings) -> Mapping[str, Any]:
    """Return the manifest of a prepared marketplace's training table, empty for data that was not prepared here."""
    if data.source is not Source.marketplace or data.path is None:
        return {}
    place = Path(data.path).absolute().with_name(MANIFEST)
    found: Mapping[str, Any] = json.loads(place.read_text()) if place.exists() else {}
    return found
