"""The family of a fair search: it weakens the features of one model, so it searches one family."""

import logging
from dataclasses import replace

from experiments.experiment.settings import TuneSettings
from experiments.search.plan import searched_families
from pipelines.candidates.families.blend import BlendSettings
from pipelines.candidates.registry import family_named
from pipelines.candidates.settings import AutoSettings
from pipelines.errors import ConfigurationError, listed

log = logging.getLogger(__name__)

PREFERRED = ("catboost", "hist_gradient_boosting")
"""The first of these that is installed is searched where none is named."""

MOST_NAMES = 4


def with_one_family(settings: TuneSettings) -> TuneSettings:
    """Return the settings with one family as the candidate: of `candidate=auto` the one it names, or the default.

    Raises:
        ConfigurationError: several families, or a blend.
    """
    candidate = settings.candidate
    if isinstance(candidate, BlendSettings):
        raise _several("candidate=blend combines several models")
    if not isinstance(candidate, AutoSettings):
        return settings
    searched_families(candidate, settings.policy.models)  # refuses names that are not installed families
    if len(candidate.families) > 1:
        raise _several(f"candidate.families names {listed(candidate.families, MOST_NAMES)}")
    preferred = next(name for name in PREFERRED if family_named(name).is_installed)
    family = family_named(candidate.families[0] if candidate.families else preferred)
    if not candidate.families:
        log.info("search=fair searches one family: %s; candidate=NAME chooses another one", family.name)
    return replace(settings, candidate=replace(family.default_settings(), calibration=candidate.calibration))


def _several(reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{reason}, and search=fair searches one family; choose one, for example candidate=scorecard"
    )
