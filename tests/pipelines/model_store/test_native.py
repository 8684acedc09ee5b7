"""A model in Thinfile's form runs no code of others, for users of Thinfile and of MLflow, whoever registered it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.errors import ThinfileError
from pipelines.model_store.files import DESCRIPTION, EXAMPLES, SERVED, deciding_hash, model_hash
from pipelines.model_store.native import generated_code_hash
from pipelines.model_store.predictor import predictor_in
from pipelines.model_store.registered import RegisteredModel
from pipelines.model_store.tags import GENERATED_CODE, MODEL_HASH


def registered(folder: Path, **tags: str) -> RegisteredModel:
    """Return a version whose hash covers the files as they are: somebody registered them so."""
    return RegisteredModel("theirs", 1, None, "", None, {MODEL_HASH: model_hash(folder)} | tags, (), 0.0)


def replace(name: str, before: str, after: str) -> Callable[[Path], None]:
    """Return what replaces a text in a file, which must be there."""

    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert before in text
        (folder / name).write_text(text.replace(before, after))

    return change


def add(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("import os\n")

    return change


def test_what_thinfile_wrote_is_loaded(copied: Path) -> None:
    assert predictor_in(copied, registered(copied)).hash == model_hash(copied)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (replace(SERVED, "import json", "import json, os"), f"{SERVED} is not the code that Thinfile generates for it"),
        (add(f"artifacts/model/{SERVED}"), f"it has the file artifacts/model/{SERVED}"),
        (add("artifacts/model/scorecard.PKL"), "it has the file artifacts/model/scorecard.PKL"),
        (add("code/more.py"), "it has the file code/more.py"),
        (add("sitecustomize.py"), "it has the file sitecustomize.py"),
        (replace(DESCRIPTION, SERVED, "other.py"), f"its {DESCRIPTION} names other code than {SERVED}"),
        (replace(DESCRIPTION, "loaders.code_model", "other"), f"its {DESCRIPTION} names other code than"),
        (replace(DESCRIPTION, "code: null", "code: code"), f"its {DESCRIPTION} names other code than"),
        (replace(DESCRIPTION, "flavors:\n", "flavors:\n  sklearn: {}\n"), f"its {DESCRIPTION} names other code than"),
        (replace(DESCRIPTION, "flavors:", "favours:"), f"its {DESCRIPTION} is not a description of it"),
    ],
)
def test_a_model_in_thinfiles_form_that_brings_code_is_refused(
    change: Callable[[Path], None], finding: str, copied: Path
) -> None:
    change(copied)
    with pytest.raises(
        ThinfileError, match=f"theirs version 1 is not as Thinfile writes models: {finding}.*; it could"
    ):
        predictor_in(copied, registered(copied))


def test_the_code_that_an_earlier_thinfile_generated_is_the_recorded_one(copied: Path) -> None:
    add(SERVED)(copied)
    recorded = registered(copied, **{GENERATED_CODE: generated_code_hash(copied)})
    assert predictor_in(copied, recorded).hash == model_hash(copied)


def test_a_version_that_an_earlier_thinfile_registered_keeps_its_hash(copied: Path) -> None:
    # given a hash of what decides predictions alone, and evidence beside the model
    add(SERVED)(copied)
    earlier = registered(copied, **{MODEL_HASH: deciding_hash(copied)})
    for later in ("__pycache__", *EXAMPLES):
        (copied / later).unlink()
    (copied / "promotion").mkdir()
    (copied / "promotion" / "0a.json").write_text("{}")
    # then
    assert predictor_in(copied, earlier).hash == earlier.tags[MODEL_HASH]
    # but what it did not write is refused
    for name in ("__pycache__/served_model.cpython-311.pyc", "promotion/x.py", "more.json"):
        add(name)(copied)
        with pytest.raises(ThinfileError, match=f"{name} was not registered"):
            predictor_in(copied, earlier)
        (copied / name).unlink()
    add(SERVED)(copied)
    (copied / SERVED).write_text("import sys\n")
    with pytest.raises(ThinfileError, match="theirs version 1 changed since it was registered"):
        predictor_in(copied, earlier)
