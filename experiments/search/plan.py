"""What a study searches: the space of its parameters, and the trials that are tried before the sampler draws any."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from experiments.experiment.experiment import Experiment
from experiments.experiment.settings import TuneSettings
from experiments.experiment.warm_starts import WarmStart
from experiments.search.family_guide import FamilyGuide
from experiments.search.portfolio import Configuration, portfolio
from experiments.search.space import Space, space_of, space_of_families
from experiments.search.trial_result import Guide, starting_with
from pipelines.candidates.candidate import Family
from pipelines.candidates.early_stopping import StoppableCandidate
from pipelines.candidates.registry import (
    families_in,
    family_named,
    own_names,
    require_trusted_families,
    trusted_families,
    untrusted_families,
)
from pipelines.candidates.settings import AutoSettings, parameters_of
from pipelines.errors import ConfigurationError, nearest
from pipelines.policy.model_settings import ModelSettings

log = logging.getLogger(__name__)


def plan(experiment: Experiment, *, stops: bool) -> tuple[Space, Guide]:
    """Return what the study of an experiment searches, and the guide that goes before its sampler.

    Where early stopping chooses the number of trees (`stops`), it is not searched.

    Raises:
        ConfigurationError: a range that the candidate does not have, or a family that is not installed.
    """
    spaces, settings = spaces_of(experiment, stops=stops), experiment.settings.candidate
    if not isinstance(settings, AutoSettings):
        configured = asdict(parameters_of(settings))
        return spaces[experiment.family], starting_with(
            configured, *({**configured, **one.parameters} for one in experiment.starts)
        )
    configurations = [_complete(one, spaces[one.family]) for one in _in_order(portfolio(spaces), experiment.starts)]
    return space_of_families(spaces), FamilyGuide(
        [one for place, one in enumerate(configurations) if one not in configurations[:place]]
    )


def spaces_of(experiment: Experiment, *, stops: bool) -> dict[str, Space]:
    """Return the space of each family that is searched; `stops` leaves out the numbers of trees.

    Raises:
        ConfigurationError: a range that the candidate does not have, or a family that is not installed.
    """
    settings = experiment.settings.candidate
    if isinstance(settings, AutoSettings):
        searched = searched_families(settings, experiment.settings.policy.models)
        return {family.name: _space_of(family, stops=stops) for family in searched}
    return {experiment.family: space_of(parameters_of(settings), settings.space)}


def _in_order(listed: Sequence[Configuration], starts: Sequence[WarmStart]) -> list[Configuration]:
    """Return the configurations to try in turn: warm starts come after the first one of each family."""
    if not starts:
        return list(listed)
    firsts = [one for place, one in enumerate(listed) if one.family not in {other.family for other in listed[:place]}]
    warm = [Configuration(one.family, one.parameters) for one in starts]
    return [*firsts, *warm, *(one for one in listed if one not in firsts)]


def with_families(settings: TuneSettings) -> TuneSettings:
    """Return the settings with the names of the families that are searched: they belong to a study's identity.

    Elsewhere, or after another library was installed, the same command may search other families, in another study.

    Raises:
        ConfigurationError: a range without a family, or a family that is not installed or has no space.
    """
    if not isinstance(settings.candidate, AutoSettings):
        return settings
    names = [family.name for family in searched_families(settings.candidate, settings.policy.models)]
    return replace(settings, candidate=replace(settings.candidate, families=names))


def families_of(experiment: Experiment) -> list[Family]:
    """Return the families of an experiment's trials."""
    settings = experiment.settings.candidate
    if isinstance(settings, AutoSettings):
        return searched_families(settings, experiment.settings.policy.models)
    return list(families_in(experiment.candidate))


def searched_families(settings: AutoSettings, models: ModelSettings) -> list[Family]:
    """Return the families that are searched: those named, or all installed and trusted ones that have a space.

    Raises:
        ConfigurationError: a range without a family, or a family that is not installed or has no space.
        RequestError: a named family is of a package that the policy's `models` do not trust, or its library is not
            installed.
    """
    if settings.space:
        raise ConfigurationError(
            f"candidate.space.{next(iter(settings.space))} is set and candidate=auto searches the spaces of the "
            "families; name one, for example candidate=lightgbm"
        )
    require_trusted_families(settings.families, models)
    searchable = {name: family for name, family in trusted_families(models).items() if family.space}
    if not settings.families:
        for name, package in untrusted_families(models).items():
            log.info("family %s of the package %s is left out: the policy does not trust it", name, package)
    unknown = [name for name in settings.families if name not in searchable]
    if unknown:
        if unknown[0] in own_names():
            family_named(unknown[0]).check_installed()
        raise ConfigurationError(
            f"candidate.families has '{unknown[0]}', which is not an installed family to search; "
            f"{nearest(unknown[0], searchable)}"
        )
    return [family for name, family in searchable.items() if name in (settings.families or searchable)]


def _space_of(family: Family, *, stops: bool) -> Space:
    settings = family.default_settings()
    candidate = family.candidate(parameters_of(settings))
    stopped = candidate.trees_parameter if stops and isinstance(candidate, StoppableCandidate) else None
    ranges = {name: one for name, one in settings.space.items() if name != stopped}
    return space_of(parameters_of(settings), ranges)


def _complete(configuration: Configuration, space: Space) -> Configuration:
    """Return a configuration with the family's defaults for the other parameters of its space."""
    defaults: Mapping[str, float | int] = asdict(parameters_of(family_named(configuration.family).default_settings()))
    own = configuration.parameters
    return replace(configuration, parameters={name: own.get(name, defaults[name]) for name in space})
