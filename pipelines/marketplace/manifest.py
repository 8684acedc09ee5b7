"""What `thinfile prepare` wrote about a training table, found beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.settings import DataSettings, Source

MANIFEST = "manifest.json"


def manifest_beside(data: DataSettings) -> Mapping[str, Any]:
    """Return the manifest of a prepared marketplace's training table, empty for data that was not prepared here.

    A record names the folder that `training` led to when it was made. Where the marketplace was prepared anew since,
    its manifest describes other data: then there is none.
    """
    if data.source is not Source.marketplace or data.path is None:
        return {}
    place = Path(data.path).resolve()
    manifest = next((folder / MANIFEST for folder in place.parents if (folder / MANIFEST).exists()), None)
    found: Mapping[str, Any] = json.loads(manifest.read_text()) if manifest else {}
    return found if found.get("identity") in place.parts else {}
