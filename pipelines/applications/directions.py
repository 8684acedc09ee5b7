"""The directions in which numeric features may move the score, as data.directions declares them."""

from collections.abc import Sequence

from pipelines.applications.settings import DataSettings, RiskDirection
from pipelines.errors import ConfigurationError, nearest

SIGNS = {RiskDirection.riskier: 1, RiskDirection.safer: -1}
"""1 where larger numbers may only be riskier, -1 where they may only be safer."""


def check_direction_names(numeric: Sequence[str], categorical: Sequence[str], data: DataSettings) -> None:
    """Raise ConfigurationError for a direction of what is not a numeric feature."""
    for name in data.directions:
        if name in categorical:
            raise ConfigurationError(
                f"data.directions names '{name}', which is a categorical feature and has no larger and smaller values; "
                "leave it out, or declare the column in data.numeric if its values are numbers"
            )
        if name not in numeric:
            raise ConfigurationError(
                f"data.directions names '{name}', which is not a numeric feature; {nearest(name, numeric)}"
            )
