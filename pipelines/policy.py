"""Whether a policy can rank applications at all."""

from itertools import pairwise

from pipelines.errors import ConfigurationError
from pipelines.settings import PolicySettings


def check_policy(policy: PolicySettings) -> None:
    """Raise ConfigurationError for a scale that does not fall with risk, or bands that do not lie on it in order."""
    scale, bands = policy.scale, policy.bands
    if scale.points_to_double_the_odds <= 0:
        raise ConfigurationError(
            "policy.scale.points_to_double_the_odds must be above 0, or less risk would not earn more points, received "
            f"{scale.points_to_double_the_odds}; use for example 50"
        )
    if scale.base_odds <= 0:
        raise ConfigurationError(f"policy.scale.base_odds must be above 0, received {scale.base_odds}; try 15")
    if scale.lowest >= scale.highest:
        raise ConfigurationError(
            f"policy.scale.lowest must lie below highest, received {scale.lowest} and {scale.highest}; exchange them"
        )
    ends = [scale.lowest, *bands, scale.highest + 1]
    if any(low >= high for low, high in pairwise(ends)):
        raise ConfigurationError(
            f"policy.bands must rise between {scale.lowest} and {scale.highest}, received {bands}; put them in order"
        )
