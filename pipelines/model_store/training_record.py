"""What a version was trained and tested on: recorded among its model's files, so that its hash covers it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.errors import ThinfileError
from pipelines.model_store.files import CARD, TRAINING_RECORD
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import DATA, FITTED_UNTIL, OUTCOME, TEST_FROM, TEST_PART

RECORDED = (DATA, TEST_PART, TEST_FROM, FITTED_UNTIL, OUTCOME)
"""The tags of a version that the file has too."""


def write_training_record(folder: Path, tags: Mapping[str, str]) -> None:
    """Write what a version was trained on into the folder of its model."""
    record = {name: tags[name] for name in RECORDED if name in tags}
    (folder / TRAINING_RECORD).write_text(json.dumps(record, indent=1))


def has_training_record(folder: Path) -> bool:
    """Return whether a model of Thinfile records what it was trained on."""
    return (folder / CARD).is_file() and (folder / TRAINING_RECORD).is_file()


def with_training_record(folder: Path, registered: RegisteredModel) -> RegisteredModel:
    """Return a version with the tags that its model's files record, whatever MLflow has in their place.

    Of a model that another tool logged nobody knows what it was trained on, whatever its tags are.

    Raises:
        ThinfileError: the file is not a record.
    """
    others = {name: value for name, value in registered.tags.items() if name not in RECORDED}
    if not (folder / CARD).is_file():
        return replace(registered, tags=others)
    if not has_training_record(folder):  # a model of an earlier version
        return registered
    try:
        record = json.loads((folder / TRAINING_RECORD).read_text())
        recorded = {str(name): str(value) for name, value in record.items() if name in RECORDED}
    except (ValueError, AttributeError) as error:
        raise ThinfileError(
            f"the {TRAINING_RECORD} of {registered.name} version {registered.version} cannot be read ({error}); "
            f"restore {registered.source} from a copy"
        ) from error
    return replace(registered, tags=others | recorded)
