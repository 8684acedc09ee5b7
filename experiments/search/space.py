"""Search spaces: the ranges of a candidate's parameters as Optuna's distributions."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from experiments.experiment.recorded_settings import FAMILY
from pipelines.candidates.settings import Range
from pipelines.errors import ConfigurationError, nearest

Distribution = FloatDistribution | IntDistribution | CategoricalDistribution
Space = Mapping[str, Distribution]


def space_of(parameters: object, ranges: Mapping[str, Range]) -> dict[str, Distribution]:
    """Return the ranges to search, typed as the parameters they vary.

    Raises:
        ConfigurationError: a range for a parameter that the candidate does not have, an empty range, or one that
            leaves out the configured value, with which a study starts.
    """
    types = {member.name: member.type for member in fields(parameters)}  # type: ignore[arg-type]
    space: dict[str, Distribution] = {}
    for name, limits in ranges.items():
        if name not in types:
            raise ConfigurationError(f"candidate.space.{name}: unknown parameter '{name}'; {nearest(name, types)}")
        if not limits.low <= limits.high or (limits.log and limits.low <= 0):
            raise ConfigurationError(
                f"candidate.space.{name} goes from {limits.low} to {limits.high}; use a low number and a higher one"
                + (", both above 0 for log" if limits.log else "")
            )
        if types[name] is int:
            space[name] = IntDistribution(int(limits.low), int(limits.high), log=limits.log)
        else:
            space[name] = FloatDistribution(limits.low, limits.high, log=limits.log)
        if not is_within(space[name], configured := getattr(parameters, name)):
            raise ConfigurationError(
                f"candidate.parameters.{name} is {configured}, outside its search range of {limits.low} to "
                f"{limits.high}; change it, or candidate.space.{name}"
            )
    return space


def whole_numbers(names: Iterable[str], high: int) -> dict[str, Distribution]:
    """Return parameters that are whole numbers from 0 to `high`, as a part of a space."""
    return {name: IntDistribution(0, high) for name in names}


def space_of_families(spaces: Mapping[str, Space]) -> dict[str, Distribution]:
    """Return the spaces of several families as one: the family, and parameters named FAMILY.NAME.

    >>> list(space_of_families({"scorecard": {"c": FloatDistribution(0, 1)}}))
    ['family', 'scorecard.c']
    """
    space: dict[str, Distribution] = {FAMILY: CategoricalDistribution(list(spaces))}
    return space | {f"{family}.{name}": one for family, own in spaces.items() for name, one in own.items()}


def active(space: Space, family: str | None) -> dict[str, Distribution]:
    """Return the part of a space that a trial of a family has; all of it where families are not searched."""
    if family is None:
        return dict(space)
    return {name: one for name, one in space.items() if name == FAMILY or name.startswith(f"{family}.")}


def is_within(distribution: Distribution, value: Any) -> bool:
    """Return whether a distribution's range includes a value."""
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    return bool(distribution.low <= value <= distribution.high)
