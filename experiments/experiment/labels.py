"""Labels of a study: the named experiments and the overrides that it was launched with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from experiments.experiment.settings import TuneSettings
from pipelines.model_store.tags import EXPERIMENT, OVERRIDES
from pipelines.secrets.redaction import redacted_override

SEPARATOR = ", "

OF_THE_COMMAND = ("experiment", "experiment_name", "model", "workspace", "output", "debug", "workers")
"""Overrides that are no part of what is compared."""


def labelled(settings: TuneSettings, chosen: str | None, overrides: Sequence[str]) -> TuneSettings:
    """Return settings with the labels that they lack: the chosen experiment file and the overrides of the command."""
    own = [
        redacted_override(word)
        for word in overrides
        if _key(word) not in OF_THE_COMMAND and not _key(word).startswith("hydra")
    ]
    return replace(
        settings,
        experiment_name=settings.experiment_name or chosen,
        overrides=settings.overrides or [redacted_override(word) for word in own],
    )


def label_tags(settings: TuneSettings, earlier: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that label a version.

    A study that is launched under another name goes on and keeps both; the overrides are those of the last launch.
    `earlier` are the tags that the version has.
    """
    return name_tag(settings, earlier) | {OVERRIDES: json.dumps(settings.overrides)}


def name_tag(settings: TuneSettings, earlier: Mapping[str, str]) -> dict[str, str]:
    """Return the tag with the names of a study's experiments, empty where it never had one."""
    names = [name for name in earlier.get(EXPERIMENT, "").split(SEPARATOR) if name]
    own = [] if settings.experiment_name is None else [settings.experiment_name]
    joined = SEPARATOR.join(dict.fromkeys([*names, *own]))
    return {EXPERIMENT: joined} if joined else {}


def _key(word: str) -> str:
    return word.partition("=")[0].lstrip("+~").partition("@")[0]
