"""Names are names: every verb that takes one refuses what is not, and nothing is written."""

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

import thinfile
from pipelines.command.names import MOST_BYTES, NAMES, NOT_AN_ALIAS, check_name
from pipelines.command.settings_reference import settings_of
from pipelines.command.verbs import VERBS, schema_of, verb_named
from pipelines.errors import RequestError

NO_NAMES = [
    "../../x",
    "/etc/x",
    "a/b",
    "a:b",
    "what?",
    ".hidden",
    "end.",
    "-x",
    "a%20b",
    "x=y",
    "a\\b",
    "$(id)",
    "m" * 181,
]
ALIASES = ["champion", "challenger", "Champion", "latest", "LATEST", "v1", "V12"]
LOOKS_LIKE_A_NAME = re.compile(r"(.*[._])?(name|model|experiment|study|policy)")


def named_settings() -> Iterator[tuple[str, str]]:
    """Yield the verbs with their settings that hold a name."""
    for verb in VERBS:
        for setting in settings_of(schema_of(verb)):
            if setting.key.rpartition(".")[2] in NAMES:
                yield verb, setting.key


def configuration_groups(name: str) -> list[str]:
    """Return the configuration groups of a verb, `candidate` included, and one of Hydra's own."""
    verb = verb_named(name)
    return [*verb.groups, *verb.choices(), "hydra/launcher"]


def numbered_settings() -> Iterator[tuple[str, str]]:
    """Yield the verbs of a model with their settings that hold the number of a version."""
    for verb in VERBS:
        keys = [setting.key for setting in settings_of(schema_of(verb))]
        yield from ((verb, key) for key in ("version", "shadow") if key in keys and "model" in keys)


def refusal(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """Return the one message with which a command is refused; nothing is written."""
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert thinfile.main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before
    return printed.err


def test_every_setting_that_looks_like_a_name_is_checked() -> None:
    keys = {setting.key for verb in VERBS for setting in settings_of(schema_of(verb)) if "." not in setting.allowed}
    looking = {key for key in keys if LOOKS_LIKE_A_NAME.fullmatch(key) and key != "policy"}
    assert {"model", "policy.name", "experiment_name", "study", "name"} <= looking
    assert [key for key in looking if key.rpartition(".")[2] not in NAMES] == []


@pytest.mark.parametrize("name", NO_NAMES)
@pytest.mark.parametrize(("verb", "key"), list(named_settings()))
def test_what_is_no_name_is_refused_and_nothing_is_written(
    verb: str,
    key: str,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = refusal([verb, f"{key}='{name}'", "workspace=here/w"], tmp_path, monkeypatch, capsys)
    assert re.match(r"error: ([a-z]+ )?name ", message)
    assert name[:30] in message.replace("\\\\", "\\")


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "a b"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_choice_is_no_path(
    verb: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for group, words in product(configuration_groups(verb), ([], ["--multirun"])):
        choice = f"default,'{name}'" if words else f"'{name}'"
        message = refusal([verb, *words, f"{group}={choice}", "workspace=here/w"], tmp_path, monkeypatch, capsys)
        assert message.startswith(f"error: {group} name '{name}' is not valid; use letters, digits")


@pytest.mark.parametrize("verb", VERBS)
def test_a_configuration_file_is_named_by_a_name(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refusal([verb, "--config-name=../x", "workspace=here/w"], tmp_path, monkeypatch, capsys)
    assert message.startswith("error: configuration name '../x' is not valid")


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("verb", VERBS)
def test_an_alias_names_no_model_experiment_or_policy(
    verb: str, alias: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = [key for of_verb, key in named_settings() if of_verb == verb]
    keys = {*own, *configuration_groups(verb)} & {"model", "experiment", "experiment_name", "policy", "policy.name"}
    for key in keys:
        message = refusal([verb, f"{key}={alias}", "workspace=here/w"], tmp_path, monkeypatch, capsys)
        assert f"name '{alias}' is reserved for an alias or a version; use another name" in message


@pytest.mark.parametrize("number", [0, -1])
@pytest.mark.parametrize(("verb", "key"), list(numbered_settings()))
def test_versions_count_from_1(
    verb: str,
    key: str,
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = refusal([verb, f"{key}={number}", "workspace=here/w"], tmp_path, monkeypatch, capsys)
    assert message.startswith(f"error: {key} is {number}, and versions count from 1")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("experiment/mine.yaml", "# @package _global_\nmodel: ../x\n", "model name '../x' is not valid"),
        ("experiment/mine.yaml", "# @package _global_\npolicy:\n  name: v1\n", "policy name 'v1' is reserved"),
        (
            "experiment/mine.yaml",
            "# @package _global_\ndefaults:\n  - override /policy: ../policy/eu\n",
            "policy name '../policy/eu' is not valid",
        ),
        (
            "experiment/mine.yaml",
            "# @package _global_\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      model: a,../x\n",
            "model name '../x' is not valid",
        ),
        ("experiment/champion.yaml", "# @package _global_\nseed: 1\n", "experiment name 'champion' is reserved"),
    ],
)
def test_names_in_a_users_files_are_checked_too(
    file: str,
    text: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "mine" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    words = ["tune", f"experiment={path.stem}", f"--config-dir={tmp_path / 'mine'}", "workspace=here/w"]
    assert message in refusal(words, tmp_path, monkeypatch, capsys)


def test_a_refused_name_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert thinfile.main(["score", "model=../x", "output=json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["exit_code"] == 2
    assert answer["error"].startswith("model name '../x' is not valid")


@pytest.mark.parametrize(
    "name", ["credit_score", "a", "_", "Ratenkauf-2.0", "kredit-ü", "分期", "v1b", "m" * MOST_BYTES]
)
@pytest.mark.parametrize("what", [*NOT_AN_ALIAS, "name"])
def test_ordinary_names_are_accepted(what: str, name: str) -> None:
    check_name(what, name)


@pytest.mark.parametrize(
    "name", ["", " ", "a\n", "a\x00b", "..", "a.", "a ", "-x", "é" * 91, "u\u0308", "ﬁt", "\ud800"]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(RequestError, match="model name"):
        check_name("model name", name)


def test_a_study_is_named_by_model_family_and_identity() -> None:
    check_name("study name", "credit_score scorecard 0a1b2c")
    with pytest.raises(RequestError, match="study name"):
        check_name("study name", "credit_score ../x")
