"""What the environment gives is used by its value and recorded as the configuration has it."""

import copy
import json
import pickle
from dataclasses import dataclass, field

import pytest
from omegaconf import DictConfig, OmegaConf

from pipelines.command.environment_texts import marked
from pipelines.errors import RequestError
from pipelines.secrets.environment_text import EnvironmentText, resolved, to_record, without_marks
from pipelines.storage.json_values import to_json_values


@dataclass
class Hook:
    url: str | None = None
    words: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)


@dataclass
class Settings:
    path: str = "a"
    other: str = "b"
    seed: int = 0
    workspace: str = "w"
    hook: Hook = field(default_factory=Hook)


def settings_of(**values: object) -> Settings:
    config = OmegaConf.merge(OmegaConf.structured(Settings), values)
    assert isinstance(config, DictConfig)
    settings = marked(OmegaConf.to_object(config), config)
    assert isinstance(settings, Settings)
    return settings


def test_texts_of_the_environment_are_recorded_unresolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "s3cret")
    monkeypatch.setenv("SEED", "7")
    settings = settings_of(
        path="/data/${oc.env:PLACE}",
        other="${path}/x",
        seed="${oc.env:SEED}",
        workspace="${oc.env:PLACE}",
        hook={
            "url": "${oc.env:NOT_SET,s3cret}",
            "words": ["plain", "a=${oc.env:PLACE}"],
            "names": {"a": "${..url}", "b": "costs \\${x}"},
        },
    )
    # the verb sees values
    assert (settings.path, settings.other, settings.seed) == ("/data/s3cret", "/data/s3cret/x", 7)
    assert settings.hook == Hook("s3cret", ["plain", "a=s3cret"], {"a": "s3cret", "b": "costs ${x}"})
    # the record has what is written, but for numbers and the workspace
    record = to_record(to_json_values(settings))
    assert record == {
        "path": "/data/${oc.env:PLACE}",
        "other": "/data/${oc.env:PLACE}/x",
        "seed": 7,
        "workspace": "s3cret",
        "hook": {
            "url": "${oc.env:NOT_SET,s3cret}",
            "words": ["plain", "a=${oc.env:PLACE}"],
            "names": {"a": "${oc.env:NOT_SET,s3cret}", "b": "costs ${x}"},
        },
    }
    # and gives the values again
    assert resolved(json.loads(json.dumps(record))) == to_json_values(settings)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(RequestError, match="reads the environment, and NOT_SET is not set; set the variable as it was"):
        resolved({"path": "${oc.env:NOT_SET}"})


def test_passwords_of_addresses_are_not_recorded() -> None:
    assert to_record({"url": "https://a:s3cret@host", "rows": [1, None]}) == {
        "url": "https://a:***@host",
        "rows": [1, None],
    }


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda text: pickle.loads(pickle.dumps(text))])
def test_the_mark_survives_copies_and_other_processes(copied: object) -> None:
    text = copied(EnvironmentText("value", "${oc.env:X}"))  # type: ignore[operator]
    assert (text, text.unresolved) == ("value", "${oc.env:X}")


def test_a_mark_can_be_taken_off() -> None:
    settings = Settings(path=EnvironmentText("value", "${oc.env:X}"), hook=Hook(words=[EnvironmentText("a", "b")]))
    plain = without_marks(settings)
    assert plain == settings
    assert (type(plain.path), type(plain.hook.words[0])) == (str, str)
