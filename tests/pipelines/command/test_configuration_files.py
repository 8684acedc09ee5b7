"""What is wrong in a composed configuration file is named with its file, its line and its key."""

from pathlib import Path

import pytest

import thinfile

HEAD = "defaults:\n  - data_schema\nsource: table\n"
"""Three lines of a file of the group data."""

PRIMARY = "defaults:\n  - {verb}_schema\n  - defaults\n  - data: table\n  - policy: default\n  - _self_\n"


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that is refused and return its one message."""
    assert thinfile.main(list(words)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = [one for one in printed.err.splitlines() if one]
    return line.removeprefix("error: ")


@pytest.mark.parametrize("verb", ["tune", "score", "promote"])
@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (f"{HEAD}labl: bad\n", 4, "unknown key 'data.labl'; did you mean label?"),
        (f"{HEAD}# a remark\n\nmax_quarantined: lots\n", 6, "data.max_quarantined: Value 'lots'"),
        ("defaults:\n  - data_schema\nsource: nowhere\n", 3, "data.source: Invalid value 'nowhere'"),
        (f"{HEAD}label: a: b\n", 4, "is not valid YAML: mapping values are not allowed here"),
        (f"{HEAD}label: x\nlabel: y\n", 5, "is not valid YAML: found duplicate key label"),
        (f"{HEAD}label: [1,\n", 5, "is not valid YAML"),
        (f"{HEAD}label: ${{nowhere}}\n", 4, "${nowhere} names no key"),
    ],
)
def test_a_file_of_a_group_is_named_with_its_line(
    verb: str, text: str, line: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "data" / "mine.yaml"
    file.parent.mkdir()
    file.write_text(text)
    period = ["period=2026-10"] if verb == "score" else []
    told = refused(capsys, verb, "--config-dir", str(tmp_path), "data=mine", *period)
    assert told.startswith(f"{file}, line {line}")
    assert message in told


@pytest.mark.parametrize(
    ("verb", "setting", "message"),
    [
        ("score", "threads: many", "threads: Value 'many'"),
        ("score", "threds: 2", "unknown key 'threds'; did you mean threads?"),
        ("promote", "version: newest", "version: Value 'newest'"),
        ("promote", "data:\n  labl: x", "unknown key 'data.labl'"),
    ],
)
def test_a_primary_file_is_named_with_its_line(
    verb: str, setting: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PRIMARY.format(verb=verb) + setting + "\n"
    (tmp_path / f"{verb}.yaml").write_text(text)
    told = refused(capsys, verb, "--config-dir", str(tmp_path))
    assert told.startswith(f"{tmp_path / f'{verb}.yaml'}, line {len(text.splitlines())}: ")
    assert message in told


@pytest.mark.parametrize("setting", ["segments: {a: b}", "meanings: [a, b]"])
def test_a_list_in_place_of_a_mapping_names_the_file(
    setting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "data" / "mine.yaml"
    file.parent.mkdir()
    file.write_text(f"{HEAD}{setting}\n")
    told = refused(capsys, "tune", "--config-dir", str(tmp_path), "data=mine")
    assert told.startswith(str(file))
    assert "raised while composing" not in told


def test_a_file_in_another_encoding_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "good.yaml").write_text(HEAD)
    file = tmp_path / "data" / "latin.yaml"
    file.write_bytes(HEAD.encode() + "label: Ausfälle\n".encode("latin-1"))
    told = refused(capsys, "tune", "--config-dir", str(tmp_path), "data=latin")
    assert told.startswith(f"{file} is not text in UTF-8")


def test_a_value_of_the_command_line_is_not_looked_for_in_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text(f"{HEAD}max_quarantined: 0.1\n")
    told = refused(capsys, "tune", "--config-dir", str(tmp_path), "data=mine", "data.max_quarantined=lots")
    assert told.startswith("data.max_quarantined: ")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("search.trials=40", "unknown key 'search.trials'; did you mean 'trials'?"),
        ("trials.number=40", "unknown key 'trials.number'"),
        ("model.name=x", "unknown key 'model.name'"),
    ],
)
def test_a_key_below_a_value_is_unknown(word: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "tune", word).startswith(message)
