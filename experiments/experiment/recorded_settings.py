"""Reads the settings of a study back from its record."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException

from experiments.experiment.settings import TuneSettings
from pipelines.candidates.candidate import Candidate
from pipelines.candidates.families.blend import BlendParameters, BlendSettings
from pipelines.candidates.registry import candidate_of, family_named, settings_class
from pipelines.candidates.settings import parameters_of
from pipelines.command.environment_texts import marked
from pipelines.command.renamed_keys import rename_keys
from pipelines.errors import RequestError
from pipelines.secrets.environment_text import as_written, unreadable

FAMILY = "family"
"""Under this name the parameters of a trial have its family, where a study searches several."""


def settings_of(record: Mapping[str, Any]) -> TuneSettings:
    """Return the settings of a study from its record (config.json); keys added since then have their defaults.

    Raises:
        RequestError: the record has settings that this version of Thinfile does not know.
    """
    recorded: dict[str, Any] = rename_keys(json.loads(json.dumps(record)), quiet=True)
    try:
        schema = OmegaConf.structured(TuneSettings)
        schema.candidate = OmegaConf.structured(settings_class(recorded["candidate"].pop("family")))
        recorded["split"].setdefault("seed", recorded["seed"])  # one seed did both
        config = OmegaConf.merge(schema, as_written(recorded))
        assert isinstance(config, DictConfig)
        settings = marked(OmegaConf.to_object(config), config)
    except InterpolationResolutionError as error:
        raise unreadable(error) from error
    except (OmegaConfBaseException, KeyError) as error:
        raise RequestError(
            f"the record of the study has settings that this version does not know: {str(error).splitlines()[0]}; "
            "check out the commit that the run names"
        ) from error
    assert isinstance(settings, TuneSettings)
    return settings


def candidate_with(settings: TuneSettings, parameters: Mapping[str, Any]) -> Candidate:
    """Return the candidate of a study with the parameters of one of its trials, or of a blend of several.

    Parameters that name their `family` differ from its defaults; other ones from the study's configuration.
    """
    if "parts" in parameters:
        blend = BlendSettings(calibration=settings.candidate.calibration, parameters=BlendParameters(**parameters))
        return candidate_of(blend)
    own = {name: value for name, value in parameters.items() if name != FAMILY}
    defaults = family_named(parameters[FAMILY]).default_settings() if FAMILY in parameters else settings.candidate
    tried = replace(parameters_of(defaults), **own)
    return candidate_of(replace(defaults, parameters=tried))  # type: ignore[call-arg]
