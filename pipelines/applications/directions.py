"""The directions in which numeric features may move the score."""

from collections.abc import Mapping, Sequence

from pipelines.applications.settings import DataSettings, RiskDirection
from pipelines.errors import ConfigurationError, nearest

SIGNS = {RiskDirection.riskier: 1, RiskDirection.safer: -1}


def directions_of(numeric: Sequence[str], data: DataSettings) -> Mapping[str, int]:
    """Return 1 for features whose larger numbers may only be riskier, and -1 where they may only be safer.

    Raises:
        ConfigurationError: a direction is declared for what is not a numeric feature.
    """
    for name in data.directions:
        if name not in numeric:
            raise ConfigurationError(
                f"data.directions names '{name}', which is not a numeric feature; {nearest(name, numeric)}"
            )
    return {name: SIGNS[direction] for name, direction in data.directions.items()}
