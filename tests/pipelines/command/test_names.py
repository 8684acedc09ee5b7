"""Names that no folder or model can have are refused before a verb begins, and nothing is written."""

from pathlib import Path

import pytest

import thinfile
from pipelines.command.names import MOST_BYTES_OF_WORKSPACE, check_model_name, check_workspace
from pipelines.errors import RequestError

pytestmark = pytest.mark.integration

VERBS_OF_A_MODEL = {
    "tune": ["data=german_credit", "trials=1"],
    "compare": [],
    "promote": ["data=german_credit"],
    "score": ["data=german_credit", "period=2026-10"],
    "serve": [],
    "watch": ["period=2026-10"],
    "replay": ["version=1"],
}


@pytest.mark.parametrize("verb", VERBS_OF_A_MODEL)
@pytest.mark.parametrize(
    "name", ["../elsewhere", "a/b", "a:b", "what?", ".hidden", "'end '", "a%20b", '"x=y"', "m" * 181]
)
def test_a_model_name_is_refused_and_nothing_is_written(
    verb: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [f"model={name}" if name[0] in "'\"" else f'model="{name}"', "workspace=here/w", *VERBS_OF_A_MODEL[verb]]
    assert thinfile.main([verb, *words]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: model name ")
    assert printed.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["credit_score", "a", "Ratenkauf 2.0", "O'Neil", "kredit-ü", "分期 (b)", "m" * 180])
def test_ordinary_model_names_are_accepted(name: str) -> None:
    check_model_name(name)


@pytest.mark.parametrize("name", ["", " ", "a\n", "a\x00b", "..", "a.", "a ", "-x", "é" * 91])
def test_other_model_names_are_refused(name: str) -> None:
    with pytest.raises(RequestError, match="model name"):
        check_model_name(name)


@pytest.mark.parametrize("verb", thinfile.VERBS)
def test_a_workspace_that_goes_through_a_file_is_refused_by_every_verb(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    needed = {
        "score": ["data=german_credit", "period=2026-10"],
        "watch": ["period=2026-10"],
        "prepare": ["raw.folder=x", "loan.as_of=2026-01-01"],
        "erase": ["customer=1"],
    }
    assert thinfile.main([verb, "workspace=file/below", *needed.get(verb, [])]) == 2
    printed = capsys.readouterr()
    assert f"'{tmp_path / 'file'}' is a file" in printed.err
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("a\nb", "control characters"),
        ("a\x00b", "control characters"),
        ("~nobody_of_that_name/x", "home of an unknown user"),
        ("/" + "/".join(["deep"] * 100), f"at most {MOST_BYTES_OF_WORKSPACE} bytes"),
        ("/tmp/" + "n" * 300, "cannot be opened"),
    ],
)
def test_paths_at_which_no_workspace_can_be_are_refused(path: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        check_workspace(path)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, _: path != tmp_path)
    with pytest.raises(RequestError, match=f"cannot be created, because '{tmp_path}' is not writable"):
        check_workspace(str(tmp_path / "below" / "w"))
