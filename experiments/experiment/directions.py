"""The directions that a study declares: those of its data settings and, where set, of a marketplace's catalogue."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.applications.directions import SIGNS
from pipelines.applications.settings import DataSettings, RiskDirection, Source
from pipelines.errors import ConfigurationError
from pipelines.marketplace.manifest import manifest_beside

WORDS = {sign: direction.value for direction, sign in SIGNS.items()}
"""The word for each sign of a direction."""


def declared_directions(data: DataSettings, numeric: Sequence[str]) -> dict[str, int]:
    """Return 1 for numeric features whose larger numbers may only be riskier, and -1 where they may only be safer.

    With data.catalogue_directions, features that data.directions does not name have those of the catalogue.

    Raises:
        ConfigurationError: data.catalogue_directions is set and the data has no catalogue.
    """
    directions = {name: SIGNS.get(direction, 0) for name, direction in data.directions.items()}
    if data.catalogue_directions:
        directions = expected_directions(_catalogue(data)) | directions
    return {name: sign for name, sign in directions.items() if sign and name in numeric}


def expected_directions(features: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return the directions of the features of a catalogue that have one."""
    signs = {direction.value: sign for direction, sign in SIGNS.items()}
    return {one["name"]: signs[one["direction"]] for one in features if one["direction"] in signs}


def _catalogue(data: DataSettings) -> Sequence[Mapping[str, Any]]:
    """Return the features of the catalogue that a marketplace was prepared with."""
    features: Sequence[Mapping[str, Any]] = manifest_beside(data).get("features", ())
    if not features:
        what = "has no manifest beside it" if data.source is Source.marketplace else f"is {data.source.value}"
        raise ConfigurationError(
            f"data.catalogue_directions is true, and the data {what}; use a marketplace that `thinfile prepare` made, "
            f"or declare directions in data.directions ({', '.join(one.value for one in RiskDirection)})"
        )
    return features
