"""Checks the settings of segments before anything is computed."""

from pipelines.applications.settings import SegmentSettings
from pipelines.errors import ConfigurationError, nearest
from pipelines.policy.pack import are_edges


def check_bands(settings: SegmentSettings, group: str = "data") -> None:
    """Raise ConfigurationError for bands of a column that is no segment, or edges that do not ascend."""
    names = dict.fromkeys(settings.segments)
    for name, edges in settings.segment_bands.items():
        if name not in names:
            raise ConfigurationError(
                f"{group}.segment_bands names '{name}', which is not in {group}.segments; {nearest(name, names)}"
            )
        if not are_edges(edges):
            raise ConfigurationError(
                f"{group}.segment_bands.{name} is {edges}; list the edges between bands in ascending order, each once"
            )
