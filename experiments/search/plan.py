"""What a study searches: the space of its parameters, and the trials that are tried before the sampler draws any."""

from collections.abc import Mapping
from dataclasses import asdict, replace

from experiments.experiment.experiment import Experiment
from experiments.search.family_guide import FamilyGuide
from experiments.search.portfolio import Configuration, portfolio
from experiments.search.space import Space, space_of, space_of_families
from experiments.search.trial_result import Guide, starting_with
from pipelines.candidates.candidate import Family
from pipelines.candidates.early_stopping import StoppableCandidate
from pipelines.candidates.registry import families, families_in, family_named
from pipelines.candidates.settings import AutoSettings, parameters_of
from pipelines.errors import ConfigurationError, nearest


def plan(experiment: Experiment, *, stops: bool) -> tuple[Space, Guide]:
    """Return what the study of an experiment searches, and the guide that goes before its sampler.

    Where early stopping chooses the number of trees (`stops`), it is not searched.

    Raises:
        ConfigurationError: a range that the candidate does not have, or a family that is not installed.
    """
    settings = experiment.settings.candidate
    if not isinstance(settings, AutoSettings):
        return space_of(parameters_of(settings), settings.space), starting_with(asdict(parameters_of(settings)))
    spaces = {family.name: _space_of(family, stops=stops) for family in searched_families(settings)}
    return space_of_families(spaces), FamilyGuide([_complete(one, spaces[one.family]) for one in portfolio(spaces)])


def families_of(experiment: Experiment) -> list[Family]:
    """Return the families of an experiment's trials."""
    settings = experiment.settings.candidate
    if isinstance(settings, AutoSettings):
        return searched_families(settings)
    return list(families_in(experiment.candidate))


def searched_families(settings: AutoSettings) -> list[Family]:
    """Return the families that are searched: those named, or all installed ones that have a space.

    Raises:
        ConfigurationError: a range without a family, or a family that is not installed or has no space.
    """
    if settings.space:
        raise ConfigurationError(
            f"candidate.space.{next(iter(settings.space))} is set and candidate=auto searches the spaces of the "
            "families; name one, for example candidate=lightgbm"
        )
    searchable = {name: family for name, family in families().items() if family.space}
    unknown = [name for name in settings.families if name not in searchable]
    if unknown:
        raise ConfigurationError(
            f"candidate.families has '{unknown[0]}', which is not an installed family to search; "
            f"{nearest(unknown[0], searchable)}"
        )
    return [searchable[name] for name in settings.families or searchable]


def _space_of(family: Family, *, stops: bool) -> Space:
    settings = family.default_settings()
    candidate = family.candidate(parameters_of(settings))
    stopped = candidate.trees_parameter if stops and isinstance(candidate, StoppableCandidate) else None
    ranges = {name: one for name, one in settings.space.items() if name != stopped}
    return space_of(parameters_of(settings), ranges)


def _complete(configuration: Configuration, space: Space) -> Configuration:
    """Return a configuration with the family's defaults for the other parameters of its space."""
    defaults: Mapping[str, float | int] = asdict(parameters_of(family_named(configuration.family).default_settings()))
    return replace(configuration, parameters={name: defaults[name] for name in space} | dict(configuration.parameters))
