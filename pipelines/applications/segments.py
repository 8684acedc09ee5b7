"""Checks the settings of segments before anything is computed."""

import math

from pipelines.applications.settings import SegmentSettings
from pipelines.errors import ConfigurationError, nearest


def check_bands(settings: SegmentSettings, group: str = "data") -> None:
    """Raise ConfigurationError for bands of a column that is no segment, or edges that do not ascend."""
    names = dict.fromkeys(settings.segments)
    for name, edges in settings.segment_bands.items():
        if name not in names:
            raise ConfigurationError(
                f"{group}.segment_bands names '{name}', which is not in {group}.segments; {nearest(name, names)}"
            )
        if not _ascend(edges):
            raise ConfigurationError(
                f"{group}.segment_bands.{name} is {edges}; list the edges between bands in ascending order, each once"
            )


def _ascend(edges: object) -> bool:
    if not isinstance(edges, list | tuple) or not all(isinstance(one, int | float) for one in edges):
        return False
    return bool(edges) and all(map(math.isfinite, edges)) and sorted(set(edges)) == list(edges)
